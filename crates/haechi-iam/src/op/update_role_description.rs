//! Changes the description of a role, also of a service-linked one.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateRoleDescription;
use haechi_iam_model::shapes::{UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<UpdateRoleDescription> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateRoleDescriptionRequest,
    ) -> Result<UpdateRoleDescriptionResponse, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?;
        let mut changed = role.value.clone();
        changed.description = Some(input.description);
        let mut batch = Batch::new();
        batch.replace(&role, &changed);
        self.database.commit(batch).await?;
        Ok(UpdateRoleDescriptionResponse { role: Some(changed.described(cx.account())) })
    }
}
