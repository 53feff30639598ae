//! Shows a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetRole;
use haechi_iam_model::shapes::{GetRoleRequest, GetRoleResponse, Role};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<GetRole> for Iam {
    async fn handle(&self, cx: &Cx, input: GetRoleRequest) -> Result<GetRoleResponse, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?.value;
        let role_last_used = Some(self.role_last_used(cx.account(), &role.id).await?);
        Ok(GetRoleResponse { role: Role { role_last_used, ..role.shown(cx.account()) } })
    }
}
