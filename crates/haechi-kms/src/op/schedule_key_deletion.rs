//! `ScheduleKeyDeletion`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ScheduleKeyDeletion;
use haechi_kms_model::shapes::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use haechi_wire::Timestamp;

use crate::authz::{Facts, admit};
use crate::key::Transition;
use crate::{Kms, request};

/// Days between the request and the deletion, at least and at most; the most is the default.
const WINDOW_DAYS: std::ops::RangeInclusive<i32> = 7..=30;

impl Handle<ScheduleKeyDeletion> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ScheduleKeyDeletionRequest,
    ) -> Result<ScheduleKeyDeletionResponse, Error> {
        let (least, most) = (WINDOW_DAYS.start(), WINDOW_DAYS.end());
        let days = input.pending_window_in_days.unwrap_or(*most);
        if !WINDOW_DAYS.contains(&days) {
            return Err(request::invalid(format!(
                "PendingWindowInDays should be between {least} and {most}, but it is {days}"
            )));
        }
        let found = self.draft(cx, &input.key_id).await?;
        let facts = Facts { window_days: Some(days), ..Facts::default() };
        let (mut key, permit) = admit(cx, found, facts)?;
        let record = &key.as_ref().record;
        let waits = record.is_primary()
            && record.multi_region.as_ref().is_some_and(|at| !at.replicas.is_empty());
        let date = if waits {
            key.transit(Transition::AwaitReplicas)?;
            key.record().deletion_window_days = Some(days);
            None
        } else {
            key.transit(Transition::ScheduleDeletion)?;
            Some(cx.now().plus_seconds(i64::from(days) * 24 * 60 * 60))
        };
        let record = key.record();
        record.deletion_ms = date.map(Timestamp::millis);
        let (arn, state, job) = (record.arn.clone(), record.state, record.deletion_job());
        let mut batch = Batch::new();
        if let Some(job) = &job {
            batch.schedule(job);
        }
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(ScheduleKeyDeletionResponse {
            key_id: Some(arn),
            deletion_date: date,
            key_state: Some(state.shape()),
            pending_window_in_days: Some(days),
        })
    }
}
