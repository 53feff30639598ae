//! Deletes a managed policy that nothing uses any more.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeletePolicy;
use haechi_iam_model::shapes::DeletePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::PolicyRecord;

impl Handle<DeletePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: DeletePolicyRequest) -> Result<Unit, Error> {
        let arn = input.policy_arn;
        let policy = self.own_managed(cx, &arn, Conditions::default()).await?;
        if !self.uses(cx, &arn).await?.is_empty() {
            let message = "Cannot delete a policy attached to entities.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        if policy.value.versions.len() > 1 {
            let message = "This policy has more than one version. Before you delete a policy, you \
                must delete the policy's versions. The default version is deleted with the policy.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch.remove(&policy);
        self.database.commit(batch).await?;
        self.counts.deleted::<PolicyRecord>(cx.account());
        Ok(Unit)
    }
}
