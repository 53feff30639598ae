//! `UpdateSchedule`: what a request does not say becomes as if the schedule were new.

use haechi_core::{Batch, Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::UpdateSchedule;
use haechi_scheduler_model::shapes::{
    ActionAfterCompletion, ScheduleState, UpdateScheduleInput, UpdateScheduleOutput,
};

use crate::schedule::{When, timing};
use crate::store::ScheduleRecord;
use crate::{Scheduler, group, target};

impl Handle<UpdateSchedule> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateScheduleInput,
    ) -> Result<UpdateScheduleOutput, Error> {
        let group = input.group_name.as_deref().unwrap_or(group::DEFAULT);
        let (place, found) = self.schedule(cx, group, &input.name).await?;
        if input.kms_key_arn.is_some() {
            return Err(cx.unsupported_parameter("KmsKeyArn").into());
        }
        let when = When {
            expression: input.schedule_expression,
            zone: input.schedule_expression_timezone,
            start: input.start_date,
            end: input.end_date,
            window: input.flexible_time_window,
        };
        let timing = timing(cx, when, Some(&found.value.timing))?;
        let target = target::accept(cx, &*self.calls, input.target)?;
        let schedule_arn = place.schedule_arn(group, &input.name);
        self.check_role(cx, &target.role_arn, &place.source(group)).await?;
        let mut record = ScheduleRecord {
            timing,
            description: input.description.filter(|text| !text.is_empty()),
            is_enabled: input.state != Some(ScheduleState::Disabled),
            target,
            deletes_itself: input.action_after_completion == Some(ActionAfterCompletion::Delete),
            modified_ms: cx.now().millis(),
            ..found.value.clone()
        };
        let mut batch = Batch::new();
        self.plan(cx, &place, &mut record, Some(&found.value), &mut batch)?;
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(UpdateScheduleOutput { schedule_arn })
    }
}
