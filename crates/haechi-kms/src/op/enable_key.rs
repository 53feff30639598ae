//! `EnableKey`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::EnableKey;
use haechi_kms_model::shapes::EnableKeyRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Transition;

impl Handle<EnableKey> for Kms {
    async fn handle(&self, cx: &Cx, input: EnableKeyRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        key.transit(Transition::Enable)?;
        let mut batch = Batch::new();
        // A rotation that fell due while it was disabled is made up for.
        if let Some(job) = key.record().resume_rotation(cx.now()) {
            batch.schedule(&job);
        }
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(Unit)
    }
}
