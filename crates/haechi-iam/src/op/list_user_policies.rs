//! Lists the names of a user's inline policies.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListUserPolicies;
use haechi_iam_model::shapes::{ListUserPoliciesRequest, ListUserPoliciesResponse};

use crate::Iam;
use crate::store::UserRecord;

impl Handle<ListUserPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListUserPoliciesRequest,
    ) -> Result<ListUserPoliciesResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let found =
            self.inline_names::<UserRecord>(cx, &input.user_name, marker, items_max).await?;
        Ok(ListUserPoliciesResponse {
            policy_names: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
