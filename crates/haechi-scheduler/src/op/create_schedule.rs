//! `CreateSchedule`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::CreateSchedule;
use haechi_scheduler_model::shapes::{
    ActionAfterCompletion, CreateScheduleInput, CreateScheduleOutput, ScheduleState,
};

use crate::schedule::{When, timing};
use crate::store::{Place, ScheduleRecord};
use crate::{Scheduler, group, target};

impl Handle<CreateSchedule> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateScheduleInput,
    ) -> Result<CreateScheduleOutput, Error> {
        let (place, name) = (Place::of(cx), input.name);
        let group = input.group_name.unwrap_or_else(|| group::DEFAULT.to_owned());
        let schedule_arn = place.schedule_arn(&group, &name);
        cx.authorize_on(&schedule_arn)?;
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
        let timing = timing(cx, when, None)?;
        let target = target::accept(cx, &*self.calls, input.target)?;
        self.check_role(cx, &target.role_arn, &place.source(&group)).await?;
        let in_group = self.group(&place, &group).await?;
        let path = place.schedule(&group, &name);
        if let Some(found) = self.database.load::<ScheduleRecord>(&path).await? {
            // The same request, sent again.
            if found.value.client_token.is_some() && found.value.client_token == input.client_token
            {
                return Ok(CreateScheduleOutput { schedule_arn });
            }
            return Err(Error::ConflictException(format!("Schedule {name} already exists.")));
        }
        let now_ms = cx.now().millis();
        let mut record = ScheduleRecord {
            name,
            group,
            timing,
            description: input.description.filter(|text| !text.is_empty()),
            is_enabled: input.state != Some(ScheduleState::Disabled),
            target,
            deletes_itself: input.action_after_completion == Some(ActionAfterCompletion::Delete),
            created_ms: now_ms,
            modified_ms: now_ms,
            client_token: input.client_token,
            job_id: String::new(),
            next_ms: None,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        self.plan(cx, &place, &mut record, None, &mut batch)?;
        batch.create(path, &record);
        // The group must still be there.
        in_group.iter().for_each(|group| batch.unchanged(group));
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(CreateScheduleOutput { schedule_arn })
    }
}
