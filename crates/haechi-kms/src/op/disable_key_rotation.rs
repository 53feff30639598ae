//! `DisableKeyRotation`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DisableKeyRotation;
use haechi_kms_model::shapes::DisableKeyRotationRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::multi_region::siblings;
use crate::rotation::check_rotates;

impl Handle<DisableKeyRotation> for Kms {
    async fn handle(&self, cx: &Cx, input: DisableKeyRotationRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        check_rotates(key.as_ref())?;
        let mut batch = Batch::new();
        let record = key.record();
        if let Some(job) = record.rotation_job() {
            batch.cancel(&job);
        }
        record.rotation = None;
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        for (_, sibling) in &mut siblings.rows {
            sibling.rotation = None;
        }
        siblings.save(record, cx.now(), &mut batch);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
