//! Deletes a service-linked role. No service here keeps anything that needs it, so it is gone at once.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteServiceLinkedRole;
use haechi_iam_model::shapes::{DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse};
use haechi_wire::Fault;

use crate::Iam;
use crate::attachment::delete_uses;
use crate::store::{DeletionRecord, RoleRecord, deletion_path};

impl Handle<DeleteServiceLinkedRole> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteServiceLinkedRoleRequest,
    ) -> Result<DeleteServiceLinkedRoleResponse, Error> {
        let account = cx.account();
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?;
        let Some(service) = &role.value.service else {
            let message = format!("{} exists but is not a service role.", role.value.name);
            return Err(Error::NoSuchEntityException(message));
        };
        let random = cx.env.uuid().map_err(Fault::internal)?;
        let task = format!("task/aws-service-role/{service}/{}/{random}", role.value.name);
        let mut batch = Batch::new();
        batch.remove(&role);
        delete_uses(&mut batch, account, &role.value);
        let record = DeletionRecord { role: role.value.name.clone(), unknown: Unknown::new() };
        batch.create(deletion_path(account, &task), &record);
        self.database.commit(batch).await?;
        self.counts.deleted::<RoleRecord>(cx.account());
        Ok(DeleteServiceLinkedRoleResponse { deletion_task_id: task })
    }
}
