//! Writes the organization's own policy: what it lets member accounts do.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::PutResourcePolicy;
use haechi_organizations_model::shapes::{PutResourcePolicyRequest, PutResourcePolicyResponse};
use haechi_policy::{Document, Kind};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::change::random;
use crate::error::invalid;
use crate::organization::Organization;
use crate::store::ResourcePolicyRecord;
use crate::tags;

impl Handle<PutResourcePolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutResourcePolicyRequest,
    ) -> Result<PutResourcePolicyResponse, Error> {
        let tags = input.tags.as_deref().unwrap_or_default();
        let about = |_: &Organization| About::all().tags(tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let malformed = |_| {
            let message = "You provided a resource policy that isn't valid.";
            invalid("INVALID_RESOURCE_POLICY_JSON", message)
        };
        let document = Document::parse(&input.content, Kind::Resource).map_err(malformed)?;
        document.require_resources().map_err(malformed)?;
        let missing = |_: &str| {
            let message = "You specified an invalid principal element in the policy.";
            invalid("INVALID_PRINCIPAL", message)
        };
        let principals = self.env.principal_ids(&document, missing).await?;
        let old = organization.record().resource_policy.as_ref();
        let record = match old {
            // Tags come with the first one only; later ones are TagResource's.
            Some(_) if !tags.is_empty() => {
                let message = "Tags can be given only when the resource policy is created.";
                return Err(invalid("TARGET_NOT_SUPPORTED", message));
            }
            Some(old) => ResourcePolicyRecord { content: input.content, principals, ..old.clone() },
            None => {
                let id = format!("rp-{}", random(&self.env, 8)?);
                let made = About::arn(organization.resource_policy_arn(&id));
                organization.admit_tags(cx, &made.tags(tags))?;
                let tags = tags::new(input.tags.as_ref())?;
                ResourcePolicyRecord { id, content: input.content, principals, tags }
            }
        };
        let mut change = organization.change();
        let resource_policy = Some(organization.shown_resource_policy(&record));
        change.head.resource_policy = Some(record);
        self.save(cx, change).await?;
        Ok(PutResourcePolicyResponse { resource_policy })
    }
}
