//! Removes a policy that is attached to nothing.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeletePolicy;
use haechi_organizations_model::shapes::DeletePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{invalid, no_policy, policy_in_use};
use crate::policy;

impl Handle<DeletePolicy> for Organizations {
    async fn handle(&self, cx: &Cx, input: DeletePolicyRequest) -> Result<Unit, Error> {
        let id = input.policy_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        if policy::managed(id).is_some() {
            let message = "You specified a policy that is managed by AWS and can't be modified.";
            return Err(invalid("IMMUTABLE_POLICY", message));
        }
        let Some(row) = organization.policies.get(id) else { return Err(no_policy()) };
        if !organization.targets_of(&row.value).is_empty() {
            return Err(policy_in_use());
        }
        let mut change = organization.change();
        change.batch.remove(row);
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
