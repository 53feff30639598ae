//! Makes a policy; it binds nothing until it is attached.

use haechi_core::database::Unknown;
use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CreatePolicy;
use haechi_organizations_model::shapes::{CreatePolicyRequest, CreatePolicyResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::change::random;
use crate::error::{constraint, policy_exists, type_not_available};
use crate::organization::Organization;
use crate::policy::{self, POLICIES_MAX};
use crate::store::{PolicyRecord, Row};
use crate::tags;

impl Handle<CreatePolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Error> {
        let kind = input.r#type.as_str();
        let tags = input.tags.as_deref().unwrap_or_default();
        let about = |_: &Organization| About::all().policy_type(kind).tags(tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let id = format!("p-{}", random(&self.env, 10)?);
        let made = About::arn(organization.own_policy_arn(kind, &id));
        organization.admit_tags(cx, &made.policy_type(kind).tags(tags))?;
        let rules =
            policy::rules(kind).ok_or_else(|| cx.unsupported_parameter(&format!("Type={kind}")))?;
        if !organization.record().all_features {
            return Err(type_not_available());
        }
        if !policy::check(rules, &input.content)? {
            return Err(cx.unsupported_parameter("enforced_for in Content").into());
        }
        let mut same_type = organization.policies.values().filter(|row| row.value.kind == kind);
        if same_type.any(|row| row.value.name == input.name) {
            return Err(policy_exists());
        }
        if organization.policies.len() >= POLICIES_MAX {
            let message = "You have exceeded the number of policies allowed in an organization.";
            return Err(constraint("POLICY_NUMBER_LIMIT_EXCEEDED", message));
        }
        let record = PolicyRecord {
            id,
            name: input.name,
            description: input.description,
            kind: kind.to_owned(),
            content: input.content,
            tags: tags::new(input.tags.as_ref())?,
            updated_ms: cx.now().millis(),
            unknown: Unknown::new(),
        };
        let mut change = organization.change();
        let rows = Row::Policy.prefix(organization.management(), organization.id());
        change.batch.create(rows.part(&record.id), &record);
        self.save(cx, change).await?;
        Ok(CreatePolicyResponse { policy: Some(organization.shown_policy(&record)) })
    }
}
