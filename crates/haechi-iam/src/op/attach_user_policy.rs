//! Attaches a managed policy to a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AttachUserPolicy;
use haechi_iam_model::shapes::AttachUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<AttachUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: AttachUserPolicyRequest) -> Result<Unit, Error> {
        self.attach::<UserRecord>(cx, &input.user_name, &input.policy_arn).await
    }
}
