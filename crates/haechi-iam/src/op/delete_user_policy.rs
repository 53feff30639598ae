//! Deletes an inline policy. It counts no more from the user's next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteUserPolicy;
use haechi_iam_model::shapes::DeleteUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::store::UserRecord;
use crate::{Iam, policy};

impl Handle<DeleteUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteUserPolicyRequest) -> Result<Unit, Error> {
        let user = self.user(cx, &input.user_name).await?;
        let mut policies = user.value.policies.clone();
        if policies.remove(&input.policy_name).is_none() {
            return Err(policy::not_found(&input.policy_name));
        }
        let mut batch = Batch::new();
        batch.replace(&user, &UserRecord { policies, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
