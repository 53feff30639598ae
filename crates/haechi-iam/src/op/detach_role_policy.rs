//! Detaches a managed policy from a role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DetachRolePolicy;
use haechi_iam_model::shapes::DetachRolePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::RoleRecord;

impl Handle<DetachRolePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DetachRolePolicyRequest) -> Result<Unit, Error> {
        self.detach::<RoleRecord>(cx, &input.role_name, &input.policy_arn).await
    }
}
