//! Changes a policy; where it is attached it binds anew at once.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::UpdatePolicy;
use haechi_organizations_model::shapes::{UpdatePolicyRequest, UpdatePolicyResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{invalid, no_policy, policy_exists};
use crate::policy;
use crate::store::PolicyRecord;

impl Handle<UpdatePolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdatePolicyRequest,
    ) -> Result<UpdatePolicyResponse, Error> {
        let id = input.policy_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        if policy::managed(id).is_some() {
            let message = "You specified a policy that is managed by AWS and can't be modified.";
            return Err(invalid("IMMUTABLE_POLICY", message));
        }
        let Some(row) = organization.policies.get(id) else { return Err(no_policy()) };
        let old = &row.value;
        let record = PolicyRecord {
            name: input.name.unwrap_or_else(|| old.name.clone()),
            description: input.description.unwrap_or_else(|| old.description.clone()),
            content: input.content.unwrap_or_else(|| old.content.clone()),
            updated_ms: cx.now().millis(),
            ..old.clone()
        };
        let mut others = organization.policies.values().map(|row| &row.value);
        if others.any(|it| it.kind == old.kind && it.name == record.name && it.id != id) {
            return Err(policy_exists());
        }
        let rules = policy::rules(&record.kind).ok_or_else(|| cx.unsupported())?;
        if !policy::check(rules, &record.content)? {
            return Err(cx.unsupported_parameter("enforced_for in Content").into());
        }
        let mut change = organization.change();
        change.batch.replace(row, &record);
        self.save(cx, change).await?;
        Ok(UpdatePolicyResponse { policy: Some(organization.shown_policy(&record)) })
    }
}
