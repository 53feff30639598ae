//! Writes an inline policy of a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutRolePolicy;
use haechi_iam_model::shapes::PutRolePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<PutRolePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: PutRolePolicyRequest) -> Result<Unit, Error> {
        let (name, document) = (input.policy_name, input.policy_document);
        self.put_inline::<RoleRecord>(cx, &input.role_name, name, document).await
    }
}
