//! Sets the permissions boundary of a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutUserPermissionsBoundary;
use haechi_iam_model::shapes::PutUserPermissionsBoundaryRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<PutUserPermissionsBoundary> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutUserPermissionsBoundaryRequest,
    ) -> Result<Unit, Error> {
        self.put_boundary::<UserRecord>(cx, &input.user_name, &input.permissions_boundary).await
    }
}
