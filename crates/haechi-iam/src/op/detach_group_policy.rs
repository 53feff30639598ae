//! Detaches a managed policy from a group.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DetachGroupPolicy;
use haechi_iam_model::shapes::DetachGroupPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<DetachGroupPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DetachGroupPolicyRequest) -> Result<Unit, Error> {
        self.detach::<GroupRecord>(cx, &input.group_name, &input.policy_arn).await
    }
}
