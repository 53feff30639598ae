//! Shows an inline policy of a role as it was written.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetRolePolicy;
use haechi_iam_model::shapes::{GetRolePolicyRequest, GetRolePolicyResponse};

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<GetRolePolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetRolePolicyRequest,
    ) -> Result<GetRolePolicyResponse, Error> {
        let shown = self.inline::<RoleRecord>(cx, &input.role_name, &input.policy_name).await?;
        Ok(GetRolePolicyResponse {
            role_name: shown.entity,
            policy_name: input.policy_name,
            policy_document: shown.document,
        })
    }
}
