//! Takes a policy off a target; what it denied is allowed from the next call on.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DetachPolicy;
use haechi_organizations_model::shapes::DetachPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{constraint, invalid, no_policy, no_target, not_attached};
use crate::organization::Organization;
use crate::policy::{self, RESOURCE_FULL_ACCESS, SERVICE_CONTROL};
use crate::store::Attachment;

impl Handle<DetachPolicy> for Organizations {
    async fn handle(&self, cx: &Cx, input: DetachPolicyRequest) -> Result<Unit, Error> {
        let (id, target) = (input.policy_id.as_str(), input.target_id.as_str());
        let about = |it: &Organization| About::of(it, &[id, target]);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let policy = organization.policy(id).ok_or_else(no_policy)?;
        let on = organization.target(target).ok_or_else(no_target)?;
        if id == RESOURCE_FULL_ACCESS {
            let message = "You can't detach the policy RCPFullAWSAccess.";
            return Err(invalid("NON_DETACHABLE_POLICY", message));
        }
        let attached = organization.attached(on, &policy.kind);
        if !attached.contains(&id) {
            return Err(not_attached());
        }
        if policy.kind == SERVICE_CONTROL && attached.len() == 1 {
            let message = "You cannot remove the last policy attached to the specified target. You \
                must have at least one attached at all times.";
            return Err(constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message));
        }
        let types = &organization.record().policy_types;
        let generation = types.get(&policy.kind).copied().unwrap_or_default();
        let mut change = organization.change();
        change.hang(target, |hung| {
            hung.attached.retain(|on| on.policy != id);
            if policy::managed(id).is_some() {
                hung.detached.retain(|off| off.policy != id);
                hung.detached.push(Attachment { policy: id.to_owned(), generation });
            }
        });
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
