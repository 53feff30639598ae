//! `RestoreSecret`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::RestoreSecret;
use haechi_secretsmanager_model::shapes::{RestoreSecretRequest, RestoreSecretResponse};

use crate::authz::{Facts, admit};
use crate::events::DELETION_CANCELLED;
use crate::{SecretsManager, words};

impl Handle<RestoreSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: RestoreSecretRequest,
    ) -> Result<RestoreSecretResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        if draft.record().is_replica() {
            return Err(words::replica());
        }
        let mut batch = Batch::new();
        let record = draft.change();
        if let Some(job) = record.deletion_job() {
            batch.cancel(&job);
            record.tell_versions(DELETION_CANCELLED, cx.now(), &mut batch)?;
        }
        (record.deleted_ms, record.deletion_ms) = (None, None);
        // What fell due meanwhile is made up for.
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        let answer = RestoreSecretResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
        };
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(answer)
    }
}
