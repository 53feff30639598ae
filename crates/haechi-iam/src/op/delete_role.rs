//! Deletes a role that nothing hangs on any more. Its sessions end with it.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteRole;
use haechi_iam_model::shapes::DeleteRoleRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::attachment::delete_boundary_use;
use crate::entity::{Entity, check_bare};
use crate::store::{RoleRecord, role_used_path};

impl Handle<DeleteRole> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteRoleRequest) -> Result<Unit, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?;
        role.value.check_modifiable()?;
        if !role.value.profiles.is_empty() {
            let message = "Cannot delete entity, must remove roles from instance profile first.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        check_bare(&role.value)?;
        let mut batch = Batch::new();
        batch.remove(&role);
        delete_boundary_use(&mut batch, cx.account(), &role.value);
        batch.delete(role_used_path(cx.account(), &role.value.id));
        self.database.commit(batch).await?;
        self.counts.deleted::<RoleRecord>(cx.account());
        Ok(Unit)
    }
}
