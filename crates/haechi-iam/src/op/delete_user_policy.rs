//! Deletes an inline policy of a user.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteUserPolicy;
use haechi_iam_model::shapes::DeleteUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<DeleteUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteUserPolicyRequest) -> Result<Unit, Error> {
        self.delete_inline::<UserRecord>(cx, &input.user_name, &input.policy_name).await
    }
}
