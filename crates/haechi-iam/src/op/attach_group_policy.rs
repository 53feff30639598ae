//! Attaches a managed policy to a group.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AttachGroupPolicy;
use haechi_iam_model::shapes::AttachGroupPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<AttachGroupPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: AttachGroupPolicyRequest) -> Result<Unit, Error> {
        self.attach::<GroupRecord>(cx, &input.group_name, &input.policy_arn).await
    }
}
