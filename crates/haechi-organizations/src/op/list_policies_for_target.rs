//! Lists the policies that are attached right to a target.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListPoliciesForTarget;
use haechi_organizations_model::shapes::{
    ListPoliciesForTargetRequest, ListPoliciesForTargetResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_target;
use crate::organization::Organization;
use crate::paging::page;
use crate::store::PolicyRecord;

impl Handle<ListPoliciesForTarget> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPoliciesForTargetRequest,
    ) -> Result<ListPoliciesForTargetResponse, Error> {
        let (target, kind) = (input.target_id.as_str(), input.filter.as_str());
        let about = |it: &Organization| About::of(it, &[target]).policy_type(kind);
        let organization = self.admit(cx, Reach::Readers, about).await?;
        let on = organization.target(target).ok_or_else(no_target)?;
        let attached = organization.attached(on, kind);
        let all: Vec<_> = attached.into_iter().filter_map(|id| organization.policy(id)).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |policy| policy.id.clone(), token, most)?;
        let shown = |policies: Vec<&PolicyRecord>| {
            policies.into_iter().map(|policy| organization.shown_summary(policy)).collect()
        };
        Ok(ListPoliciesForTargetResponse { policies: found.map(shown), next_token })
    }
}
