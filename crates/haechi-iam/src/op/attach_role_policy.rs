//! Attaches a managed policy to a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AttachRolePolicy;
use haechi_iam_model::shapes::AttachRolePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<AttachRolePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: AttachRolePolicyRequest) -> Result<Unit, Error> {
        self.attach::<RoleRecord>(cx, &input.role_name, &input.policy_arn).await
    }
}
