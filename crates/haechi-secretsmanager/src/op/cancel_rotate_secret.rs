//! `CancelRotateSecret`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::CancelRotateSecret;
use haechi_secretsmanager_model::shapes::{CancelRotateSecretRequest, CancelRotateSecretResponse};

use crate::SecretsManager;
use crate::authz::{Facts, admit};
use crate::engine::rotating_path;
use crate::rotation::Step;
use crate::secret::{CURRENT, PENDING};

impl Handle<CancelRotateSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: CancelRotateSecretRequest,
    ) -> Result<CancelRotateSecretResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().writable_by(cx)?;
        let mut batch = Batch::new();
        let record = draft.change();
        if let Some(job) = record.rotation_job() {
            batch.cancel(&job);
        }
        let mut running = None;
        if let Some(rotation) = &mut record.rotation {
            rotation.enabled = false;
            running = rotation.running.take();
            (rotation.due_ms, rotation.next_ms) = (None, None);
        }
        // What was prepared for a try of the function alone goes with it.
        if let Some(probe) = running.filter(|running| running.step == Step::Probe) {
            record.unreserve(&probe.token);
        }
        batch.delete(rotating_path(record));
        // A version that was cut off keeps its label, as with AWS: it says what may be in the
        // target already.
        let left = record.labelled(PENDING).filter(|id| record.labelled(CURRENT) != Some(*id));
        let answer = CancelRotateSecretResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_id: left.map(str::to_owned),
        };
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}
