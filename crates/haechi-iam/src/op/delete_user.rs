//! Deletes a user that nothing hangs on any more.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteUser;
use haechi_iam_model::shapes::DeleteUserRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::attachment::delete_boundary_use;
use crate::entity::check_bare;
use crate::store::{UserRecord, public_keys_path};

impl Handle<DeleteUser> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteUserRequest) -> Result<Unit, Error> {
        let user = self.user(cx, &input.user_name).await?;
        check_bare(&user.value)?;
        if !user.value.access_key_ids.is_empty() {
            return Err(conflict("delete access keys"));
        }
        if user.value.has_login {
            return Err(conflict("delete login profile"));
        }
        if !user.value.mfa_serials.is_empty() {
            return Err(conflict("remove tokens from principal"));
        }
        if user.value.has_certificates {
            return Err(conflict("delete certificates"));
        }
        if user.value.has_ssh_keys {
            return Err(conflict("delete SSH public keys"));
        }
        if user.value.has_service_credentials {
            return Err(conflict("remove referenced objects"));
        }
        if !user.value.group_ids.is_empty() {
            return Err(conflict("remove users from group"));
        }
        let mut batch = Batch::new();
        batch.remove(&user);
        batch.delete(public_keys_path(cx.account(), &user.value.id));
        delete_boundary_use(&mut batch, cx.account(), &user.value);
        self.database.commit(batch).await?;
        self.counts.deleted::<UserRecord>(cx.account());
        Ok(Unit)
    }
}

fn conflict(what: &str) -> Error {
    let message = format!("Cannot delete entity, must {what} first.");
    Error::DeleteConflictException(message)
}
