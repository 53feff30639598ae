//! Lets policies of a type bind. AWS's own policy of the type is attached to everything.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::EnablePolicyType;
use haechi_organizations_model::shapes::{EnablePolicyTypeRequest, EnablePolicyTypeResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{no_root, type_enabled, type_not_available};
use crate::organization::Organization;
use crate::policy;

impl Handle<EnablePolicyType> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: EnablePolicyTypeRequest,
    ) -> Result<EnablePolicyTypeResponse, Error> {
        let (root, kind) = (input.root_id.as_str(), input.policy_type.as_str());
        let about = |it: &Organization| About::of(it, &[root]).policy_type(kind);
        let organization = self.admit(cx, Reach::Management, about).await?;
        if root != organization.record().root_id {
            return Err(no_root());
        }
        policy::rules(kind)
            .ok_or_else(|| cx.unsupported_parameter(&format!("PolicyType={kind}")))?;
        if !organization.record().all_features {
            return Err(type_not_available());
        }
        if organization.record().policy_types.contains_key(kind) {
            return Err(type_enabled());
        }
        let mut change = organization.change();
        change.head.generation += 1;
        let generation = change.head.generation;
        change.head.policy_types.insert(kind.to_owned(), generation);
        let shown = organization.shown_root(change.head.policy_types.keys());
        self.save(cx, change).await?;
        Ok(EnablePolicyTypeResponse { root: Some(shown) })
    }
}
