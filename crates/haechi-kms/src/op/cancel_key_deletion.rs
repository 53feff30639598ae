//! `CancelKeyDeletion`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::CancelKeyDeletion;
use haechi_kms_model::shapes::{CancelKeyDeletionRequest, CancelKeyDeletionResponse};

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Transition;

impl Handle<CancelKeyDeletion> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: CancelKeyDeletionRequest,
    ) -> Result<CancelKeyDeletionResponse, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        key.transit(Transition::CancelDeletion)?;
        let mut batch = Batch::new();
        let record = key.record();
        if let Some(job) = record.deletion_job() {
            batch.cancel(&job);
        }
        record.deletion_ms = None;
        record.deletion_window_days = None;
        let arn = record.arn.clone();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(CancelKeyDeletionResponse { key_id: Some(arn) })
    }
}
