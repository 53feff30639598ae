//! Writes a new version of a managed policy.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreatePolicyVersion;
use haechi_iam_model::shapes::{
    CreatePolicyVersionRequest, CreatePolicyVersionResponse, PolicyVersion,
};
use haechi_wire::Timestamp;

use crate::Iam;
use crate::authz::Conditions;
use crate::managed;
use crate::store::PolicyVersionRecord;

impl Handle<CreatePolicyVersion> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreatePolicyVersionRequest,
    ) -> Result<CreatePolicyVersionResponse, Error> {
        let policy = self.own_managed(cx, &input.policy_arn, Conditions::default()).await?;
        managed::check_document(&input.policy_document)?;
        if policy.value.versions.len() >= VERSIONS_MAX {
            let message = "A managed policy can have up to 5 versions. Before you create a new \
                version, you must delete an existing version.";
            return Err(Error::LimitExceededException(message.to_owned()));
        }
        let (number, created_ms) = (policy.value.last_version + 1, cx.now().millis());
        let is_default = input.set_as_default == Some(true);
        let mut changed = policy.value.clone();
        let text = input.policy_document;
        changed.versions.push(PolicyVersionRecord { number, text, created_ms });
        changed.last_version = number;
        if is_default {
            changed.default_version = number;
        }
        changed.updated_ms = created_ms;
        let mut batch = Batch::new();
        batch.replace(&policy, &changed);
        self.database.commit(batch).await?;
        Ok(CreatePolicyVersionResponse {
            policy_version: Some(PolicyVersion {
                document: None,
                version_id: Some(format!("v{number}")),
                is_default_version: Some(is_default),
                create_date: Some(Timestamp::from_millis(created_ms)),
            }),
        })
    }
}

/// Versions of one policy, at most (AWS's fixed quota).
const VERSIONS_MAX: usize = 5;
