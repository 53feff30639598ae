//! Takes tags from a role; keys that it does not have are no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagRole;
use haechi_iam_model::shapes::UntagRoleRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<UntagRole> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagRoleRequest) -> Result<Unit, Error> {
        self.untag::<RoleRecord>(cx, &input.role_name, &input.tag_keys).await
    }
}
