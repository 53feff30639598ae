//! Detaches a managed policy from a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DetachUserPolicy;
use haechi_iam_model::shapes::DetachUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<DetachUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DetachUserPolicyRequest) -> Result<Unit, Error> {
        self.detach::<UserRecord>(cx, &input.user_name, &input.policy_arn).await
    }
}
