//! Makes a version of a managed policy the one that counts, from the next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SetDefaultPolicyVersion;
use haechi_iam_model::shapes::SetDefaultPolicyVersionRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::managed::{version_not_found, version_number, without_version};

impl Handle<SetDefaultPolicyVersion> for Iam {
    async fn handle(&self, cx: &Cx, input: SetDefaultPolicyVersionRequest) -> Result<Unit, Error> {
        let (arn, id) = (input.policy_arn, input.version_id);
        let policy = self.own_managed(cx, &arn, Conditions::default()).await;
        let policy = policy.map_err(|error| without_version(error, &arn, &id))?;
        let number = version_number(&id).filter(|number| policy.value.version(*number).is_some());
        let mut changed = policy.value.clone();
        changed.default_version = number.ok_or_else(|| version_not_found(&arn, &id))?;
        changed.updated_ms = cx.now().millis();
        let mut batch = Batch::new();
        batch.replace(&policy, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
