//! Deletes an inline policy of a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteRolePolicy;
use haechi_iam_model::shapes::DeleteRolePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<DeleteRolePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteRolePolicyRequest) -> Result<Unit, Error> {
        self.delete_inline::<RoleRecord>(cx, &input.role_name, &input.policy_name).await
    }
}
