//! Lists what a policy is attached to.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListTargetsForPolicy;
use haechi_organizations_model::shapes::{
    ListTargetsForPolicyRequest, ListTargetsForPolicyResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_policy;
use crate::organization::Target;
use crate::paging::page;

impl Handle<ListTargetsForPolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTargetsForPolicyRequest,
    ) -> Result<ListTargetsForPolicyResponse, Error> {
        let id = input.policy_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let policy = organization.policy(id).ok_or_else(no_policy)?;
        let all = organization.targets_of(policy);
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |target| target.id().to_owned(), token, most)?;
        let shown = |targets: Vec<Target<'_>>| {
            targets.into_iter().map(|target| organization.shown_target(target)).collect()
        };
        Ok(ListTargetsForPolicyResponse { targets: found.map(shown), next_token })
    }
}
