//! Sets the permissions boundary of a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutRolePermissionsBoundary;
use haechi_iam_model::shapes::PutRolePermissionsBoundaryRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<PutRolePermissionsBoundary> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutRolePermissionsBoundaryRequest,
    ) -> Result<Unit, Error> {
        self.put_boundary::<RoleRecord>(cx, &input.role_name, &input.permissions_boundary).await
    }
}
