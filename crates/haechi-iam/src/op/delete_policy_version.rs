//! Deletes a version of a managed policy that is not the default.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeletePolicyVersion;
use haechi_iam_model::shapes::DeletePolicyVersionRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::managed::{version_not_found, version_number, without_version};

impl Handle<DeletePolicyVersion> for Iam {
    async fn handle(&self, cx: &Cx, input: DeletePolicyVersionRequest) -> Result<Unit, Error> {
        let (arn, id) = (input.policy_arn, input.version_id);
        let policy = self.own_managed(cx, &arn, Conditions::default()).await;
        let policy = policy.map_err(|error| without_version(error, &arn, &id))?;
        let number = version_number(&id).filter(|number| policy.value.version(*number).is_some());
        let number = number.ok_or_else(|| version_not_found(&arn, &id))?;
        if number == policy.value.default_version {
            let message = "Cannot delete the default version of a policy.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        let mut changed = policy.value.clone();
        changed.versions.retain(|version| version.number != number);
        let mut batch = Batch::new();
        batch.replace(&policy, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
