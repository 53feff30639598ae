//! Adds tags to a role, or changes them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagRole;
use haechi_iam_model::shapes::TagRoleRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<TagRole> for Iam {
    async fn handle(&self, cx: &Cx, input: TagRoleRequest) -> Result<Unit, Error> {
        self.tag::<RoleRecord>(cx, &input.role_name, &input.tags).await
    }
}
