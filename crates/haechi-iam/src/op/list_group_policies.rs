//! Lists the names of a group's inline policies.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListGroupPolicies;
use haechi_iam_model::shapes::{ListGroupPoliciesRequest, ListGroupPoliciesResponse};

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<ListGroupPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListGroupPoliciesRequest,
    ) -> Result<ListGroupPoliciesResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let found =
            self.inline_names::<GroupRecord>(cx, &input.group_name, marker, items_max).await?;
        Ok(ListGroupPoliciesResponse {
            policy_names: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
