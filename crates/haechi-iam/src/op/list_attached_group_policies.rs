//! Lists the managed policies that are attached to a group, by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListAttachedGroupPolicies;
use haechi_iam_model::shapes::{
    ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
};

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<ListAttachedGroupPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAttachedGroupPoliciesRequest,
    ) -> Result<ListAttachedGroupPoliciesResponse, Error> {
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let found = self
            .attached::<GroupRecord>(cx, &input.group_name, prefix, marker, input.max_items)
            .await?;
        Ok(ListAttachedGroupPoliciesResponse {
            attached_policies: Some(found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
