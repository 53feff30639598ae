//! Takes all policies of a type off everything, for good: enabling it again begins anew.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DisablePolicyType;
use haechi_organizations_model::shapes::{DisablePolicyTypeRequest, DisablePolicyTypeResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{no_root, type_not_enabled};
use crate::organization::Organization;

impl Handle<DisablePolicyType> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DisablePolicyTypeRequest,
    ) -> Result<DisablePolicyTypeResponse, Error> {
        let (root, kind) = (input.root_id.as_str(), input.policy_type.as_str());
        let about = |it: &Organization| About::of(it, &[root]).policy_type(kind);
        let organization = self.admit(cx, Reach::Management, about).await?;
        if root != organization.record().root_id {
            return Err(no_root());
        }
        let mut change = organization.change();
        if change.head.policy_types.remove(kind).is_none() {
            return Err(type_not_enabled());
        }
        let shown = organization.shown_root(change.head.policy_types.keys());
        self.save(cx, change).await?;
        Ok(DisablePolicyTypeResponse { root: Some(shown) })
    }
}
