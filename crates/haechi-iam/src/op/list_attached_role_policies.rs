//! Lists the managed policies that are attached to a role, by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListAttachedRolePolicies;
use haechi_iam_model::shapes::{ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<ListAttachedRolePolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAttachedRolePoliciesRequest,
    ) -> Result<ListAttachedRolePoliciesResponse, Error> {
        let (prefix, marker) = (input.path_prefix.as_deref(), input.marker.as_deref());
        let found = self
            .attached::<RoleRecord>(cx, &input.role_name, prefix, marker, input.max_items)
            .await?;
        Ok(ListAttachedRolePoliciesResponse {
            attached_policies: Some(found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
