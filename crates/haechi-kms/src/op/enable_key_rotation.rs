//! `EnableKeyRotation`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::EnableKeyRotation;
use haechi_kms_model::shapes::EnableKeyRotationRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::multi_region::siblings;
use crate::rotation::{PERIOD_DAYS_DEFAULT, Rotation, check_rotates};

impl Handle<EnableKeyRotation> for Kms {
    async fn handle(&self, cx: &Cx, input: EnableKeyRotationRequest) -> Result<Unit, Error> {
        let period_days = input.rotation_period_in_days.unwrap_or(PERIOD_DAYS_DEFAULT);
        let period = period_days.to_string();
        let found = self.draft(cx, &input.key_id).await?;
        let extra = [("kms:rotationperiodindays", period.as_str())];
        let (mut key, permit) = admit(cx, found, Facts { extra: &extra, ..Facts::default() })?;
        check_rotates(key.as_ref())?;
        let mut batch = Batch::new();
        let record = key.record();
        // The schedule stands while the period does.
        if record.rotation.as_ref().map(|rotation| rotation.period_days) == Some(period_days) {
            return Ok(Unit);
        }
        if let Some(job) = record.rotation_job() {
            batch.cancel(&job);
        }
        record.rotation = Some(Rotation::starting(cx.now().millis(), period_days));
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        for (_, sibling) in &mut siblings.rows {
            sibling.rotation.clone_from(&record.rotation);
        }
        siblings.save(record, cx.now(), &mut batch);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(Unit)
    }
}
