//! `GetSecretValue`.

use std::sync::Arc;

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::GetSecretValue;
use haechi_secretsmanager_model::shapes::{GetSecretValueRequest, GetSecretValueResponse};
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Facts, admit_action};
use crate::secret::{CURRENT, SecretRecord};
use crate::store::Secret;
use crate::{SecretsManager, words};

/// The action, also of the batch.
const ACTION: &str = "secretsmanager:GetSecretValue";

impl Handle<GetSecretValue> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Error> {
        self.value(cx, &input).await
    }
}

impl SecretsManager {
    /// A value, by the permission to get it.
    pub(crate) async fn value(
        &self,
        cx: &Cx,
        input: &GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Error> {
        let found = self.secret_for(cx, ACTION, &input.secret_id).await?;
        let stage = match (&input.version_id, &input.version_stage) {
            (None, None) => Some(CURRENT),
            (_, stage) => stage.as_deref(),
        };
        let facts = Facts::default()
            .with("versionid", input.version_id.as_ref())
            .with("versionstage", stage);
        let (secret, _) = admit_action(cx, ACTION, found, facts)?;
        let record = &secret.record;
        record.alive()?;
        let id = wanted(record, input.version_id.as_deref(), stage)?;
        let plain = self.reveal(cx, record, id).await?;
        self.note_access(cx, &secret, id).await?;
        let version = record.versions.get(id);
        let (secret_string, secret_binary) = plain.members();
        Ok(GetSecretValueResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_id: Some(id.to_owned()),
            secret_binary,
            secret_string,
            version_stages: version
                .map(crate::secret::Version::stage_list)
                .filter(|stages| !stages.is_empty()),
            created_date: version.map(|version| Timestamp::from_millis(version.created_ms)),
        })
    }

    /// Writes down the day, once: a reader of a busy secret waits for no write.
    async fn note_access(&self, cx: &Cx, secret: &Arc<Secret>, id: &str) -> Result<(), Fault> {
        if !secret.record.is_accessed_anew(id, cx.now()) {
            return Ok(());
        }
        let path = secret.record.path();
        let Some(row) = self.database.load::<SecretRecord>(&path).await? else { return Ok(()) };
        let mut record = row.value.clone();
        if !record.accessed(id, cx.now()) {
            return Ok(());
        }
        let mut batch = Batch::new();
        batch.replace(&row, &record);
        match self.database.commit(batch).await {
            // Someone else wrote; the next reader notes it.
            Err(Fault::Conflict) => Ok(()),
            other => other,
        }
    }
}

fn wanted<'a>(
    record: &'a SecretRecord,
    id: Option<&str>,
    stage: Option<&str>,
) -> Result<&'a str, Error> {
    let Some(id) = id else {
        let stage = stage.unwrap_or(CURRENT);
        let found = record.labelled(stage).filter(|id| record.has_value(id));
        return found.ok_or_else(|| words::no_value("staging label", stage));
    };
    let Some((id, version)) = record.versions.get_key_value(id) else {
        return Err(words::no_value("VersionId", id));
    };
    if version.is_empty {
        return Err(words::no_value("VersionId", id));
    }
    match stage {
        Some(stage) if !version.stages.contains(stage) => Err(words::request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
        _ => Ok(id),
    }
}
