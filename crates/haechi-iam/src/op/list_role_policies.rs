//! Lists the names of a role's inline policies.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListRolePolicies;
use haechi_iam_model::shapes::{ListRolePoliciesRequest, ListRolePoliciesResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<ListRolePolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListRolePoliciesRequest,
    ) -> Result<ListRolePoliciesResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let found =
            self.inline_names::<RoleRecord>(cx, &input.role_name, marker, items_max).await?;
        Ok(ListRolePoliciesResponse {
            policy_names: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
