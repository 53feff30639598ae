//! `GetSchedule`.

use haechi_core::{Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::GetSchedule;
use haechi_scheduler_model::shapes::{
    ActionAfterCompletion, GetScheduleInput, GetScheduleOutput, ScheduleState,
};
use haechi_wire::Timestamp;

use crate::{Scheduler, group, schedule, target};

impl Handle<GetSchedule> for Scheduler {
    async fn handle(&self, cx: &Cx, input: GetScheduleInput) -> Result<GetScheduleOutput, Error> {
        let group = input.group_name.as_deref().unwrap_or(group::DEFAULT);
        let (place, found) = self.schedule(cx, group, &input.name).await?;
        let record = found.value;
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        Ok(GetScheduleOutput {
            arn: Some(place.schedule_arn(&record.group, &record.name)),
            flexible_time_window: Some(schedule::window(&record.timing)),
            start_date: record.timing.start_ms.and_then(time),
            end_date: record.timing.end_ms.and_then(time),
            schedule_expression: Some(record.timing.expression),
            schedule_expression_timezone: record.timing.zone.or_else(|| Some("UTC".to_owned())),
            state: Some(state(record.is_enabled)),
            action_after_completion: Some(if record.deletes_itself {
                ActionAfterCompletion::Delete
            } else {
                ActionAfterCompletion::None
            }),
            creation_date: time(record.created_ms),
            last_modification_date: time(record.modified_ms),
            description: record.description,
            target: Some(target::show(record.target)),
            group_name: Some(record.group),
            name: Some(record.name),
            ..Default::default()
        })
    }
}

pub(super) fn state(is_enabled: bool) -> ScheduleState {
    if is_enabled { ScheduleState::Enabled } else { ScheduleState::Disabled }
}
