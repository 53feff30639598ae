//! Writes an inline policy of a group.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutGroupPolicy;
use haechi_iam_model::shapes::PutGroupPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<PutGroupPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: PutGroupPolicyRequest) -> Result<Unit, Error> {
        let (name, document) = (input.policy_name, input.policy_document);
        self.put_inline::<GroupRecord>(cx, &input.group_name, name, document).await
    }
}
