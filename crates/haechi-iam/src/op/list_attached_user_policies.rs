//! Lists the managed policies that are attached to a user, by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListAttachedUserPolicies;
use haechi_iam_model::shapes::{ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse};

use crate::Iam;
use crate::store::UserRecord;

impl Handle<ListAttachedUserPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAttachedUserPoliciesRequest,
    ) -> Result<ListAttachedUserPoliciesResponse, Error> {
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let found = self
            .attached::<UserRecord>(cx, &input.user_name, prefix, marker, input.max_items)
            .await?;
        Ok(ListAttachedUserPoliciesResponse {
            attached_policies: Some(found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
