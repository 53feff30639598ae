//! Shows a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetRole;
use haechi_iam_model::shapes::{GetRoleRequest, GetRoleResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<GetRole> for Iam {
    async fn handle(&self, cx: &Cx, input: GetRoleRequest) -> Result<GetRoleResponse, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?.value;
        Ok(GetRoleResponse { role: role.shown(cx.account()) })
    }
}
