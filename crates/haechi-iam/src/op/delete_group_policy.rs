//! Deletes an inline policy of a group.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteGroupPolicy;
use haechi_iam_model::shapes::DeleteGroupPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<DeleteGroupPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteGroupPolicyRequest) -> Result<Unit, Error> {
        self.delete_inline::<GroupRecord>(cx, &input.group_name, &input.policy_name).await
    }
}
