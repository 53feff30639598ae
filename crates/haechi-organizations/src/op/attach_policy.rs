//! Attaches a policy to a root, a unit or an account; it binds the next call.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::AttachPolicy;
use haechi_organizations_model::shapes::AttachPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{self, constraint, no_policy, no_target, type_not_enabled};
use crate::organization::Organization;
use crate::policy;
use crate::store::Attachment;

impl Handle<AttachPolicy> for Organizations {
    async fn handle(&self, cx: &Cx, input: AttachPolicyRequest) -> Result<Unit, Error> {
        let (id, target) = (input.policy_id.as_str(), input.target_id.as_str());
        let about = |it: &Organization| About::of(it, &[id, target]);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let policy = organization.policy(id).ok_or_else(no_policy)?;
        let on = organization.target(target).ok_or_else(no_target)?;
        let types = &organization.record().policy_types;
        let generation = types.get(&policy.kind).copied().ok_or_else(type_not_enabled)?;
        let attached = organization.attached(on, &policy.kind);
        if attached.contains(&id) {
            return Err(error::attached());
        }
        let rules = policy::rules(&policy.kind).ok_or_else(|| cx.unsupported())?;
        if attached.len() >= rules.attached_max {
            let message =
                "You have attached the maximum number of policies to the specified target.";
            return Err(constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message));
        }
        let mut change = organization.change();
        change.hang(target, |hung| {
            if policy::managed(id).is_some() {
                hung.detached.retain(|off| off.policy != id);
                return;
            }
            // What hung here while its type was enabled before is gone for good.
            hung.attached.retain(|on| types.values().any(|current| *current == on.generation));
            hung.attached.push(Attachment { policy: id.to_owned(), generation });
        });
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
