//! Takes the permissions boundary from a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteRolePermissionsBoundary;
use haechi_iam_model::shapes::DeleteRolePermissionsBoundaryRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<DeleteRolePermissionsBoundary> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteRolePermissionsBoundaryRequest,
    ) -> Result<Unit, Error> {
        self.delete_boundary::<RoleRecord>(cx, &input.role_name).await
    }
}
