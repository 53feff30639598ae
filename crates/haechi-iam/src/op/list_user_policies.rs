//! Lists the names of a user's inline policies.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListUserPolicies;
use haechi_iam_model::shapes::{ListUserPoliciesRequest, ListUserPoliciesResponse};

use crate::Iam;
use crate::listing::page;

impl Handle<ListUserPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListUserPoliciesRequest,
    ) -> Result<ListUserPoliciesResponse, Error> {
        let user = self.user(cx, &input.user_name).await?.value;
        let names = user.policies.into_keys();
        let found = page(names, String::clone, input.marker.as_deref(), input.max_items)?;
        Ok(ListUserPoliciesResponse {
            policy_names: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
