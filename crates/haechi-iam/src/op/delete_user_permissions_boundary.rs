//! Takes the permissions boundary from a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteUserPermissionsBoundary;
use haechi_iam_model::shapes::DeleteUserPermissionsBoundaryRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<DeleteUserPermissionsBoundary> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteUserPermissionsBoundaryRequest,
    ) -> Result<Unit, Error> {
        self.delete_boundary::<UserRecord>(cx, &input.user_name).await
    }
}
