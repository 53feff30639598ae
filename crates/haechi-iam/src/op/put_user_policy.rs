//! Writes an inline policy of a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutUserPolicy;
use haechi_iam_model::shapes::PutUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<PutUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: PutUserPolicyRequest) -> Result<Unit, Error> {
        let (name, document) = (input.policy_name, input.policy_document);
        self.put_inline::<UserRecord>(cx, &input.user_name, name, document).await
    }
}
