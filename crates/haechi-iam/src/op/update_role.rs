//! Changes the description of a role, or how long its sessions may be: what is not given stays
//! (LocalStack's `test_update_role`).

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateRole;
use haechi_iam_model::shapes::{UpdateRoleRequest, UpdateRoleResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<UpdateRole> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateRoleRequest) -> Result<UpdateRoleResponse, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?;
        let mut changed = role.value.clone();
        // A service-linked role's description is its account's to change.
        changed.description = input.description.or(changed.description);
        if let Some(seconds) = input.max_session_duration {
            if role.value.service.is_some() {
                return Err(Error::UnmodifiableEntityException(format!(
                    "{} is an AWS service linked role, max session duration cannot be changed.",
                    role.value.name
                )));
            }
            changed.session_seconds_max = seconds;
        }
        let mut batch = Batch::new();
        batch.replace(&role, &changed);
        self.database.commit(batch).await?;
        Ok(UpdateRoleResponse::default())
    }
}
