//! Writes an inline policy. It counts from the user's next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::PutUserPolicy;
use haechi_iam_model::shapes::PutUserPolicyRequest;
use haechi_wire::shape::Unit;

use crate::store::UserRecord;
use crate::{Iam, policy};

impl Handle<PutUserPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: PutUserPolicyRequest) -> Result<Unit, Error> {
        let user = self.user(cx, &input.user_name).await?;
        policy::check(&input.policy_document)?;
        let mut policies = user.value.policies.clone();
        policies.insert(input.policy_name, input.policy_document);
        policy::check_size(&user.value.name, &policies)?;
        let mut batch = Batch::new();
        batch.replace(&user, &UserRecord { policies, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
