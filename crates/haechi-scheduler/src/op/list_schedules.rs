//! `ListSchedules`.

use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::ListSchedules;
use haechi_scheduler_model::shapes::{
    ListSchedulesInput, ListSchedulesOutput, ScheduleSummary, TargetSummary,
};
use haechi_wire::Timestamp;

use super::get_schedule::state;
use crate::store::{Place, ScheduleRecord};
use crate::{Scheduler, invalid};

/// Schedules in a page, at most and unless a caller wants fewer.
const PAGE_MAX: u32 = 100;

/// Schedules that one call looks at; with filters, a page may then be short and have a token.
const LOOKED_AT_MAX: usize = 2000;

impl Handle<ListSchedules> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSchedulesInput,
    ) -> Result<ListSchedulesOutput, Error> {
        cx.authorize_any()?;
        let place = Place::of(cx);
        if let Some(group) = &input.group_name {
            self.group(&place, group).await?;
        }
        let token =
            |text: &String| Cursor::decode(text).ok_or_else(|| invalid("Invalid NextToken."));
        let mut from = input.next_token.as_ref().map(token).transpose()?;
        let prefix = place.schedules(input.group_name.as_deref());
        let size = input.max_results.and_then(|count| u32::try_from(count).ok());
        let size = size.unwrap_or(PAGE_MAX);
        let wanted = |schedule: &ScheduleRecord| {
            schedule.name.starts_with(input.name_prefix.as_deref().unwrap_or_default())
                && input.state.as_ref().is_none_or(|wanted| *wanted == state(schedule.is_enabled))
        };
        let (mut schedules, mut looked_at) = (Vec::new(), 0);
        loop {
            let left = size.saturating_sub(u32::try_from(schedules.len()).unwrap_or(size));
            let page = self.database.list::<ScheduleRecord>(&prefix, from.as_ref(), left).await?;
            looked_at += page.items.len();
            let found = page.items.into_iter().map(|row| row.value).filter(wanted);
            schedules.extend(found.map(|schedule| summary(&place, schedule)));
            from = page.next;
            let is_full = schedules.len() >= usize::try_from(size).unwrap_or(usize::MAX);
            if from.is_none() || is_full || looked_at >= LOOKED_AT_MAX {
                let next_token = from.map(|cursor| cursor.encode());
                // Rows stand by pseudonyms; what one answer holds, AWS lists by name.
                schedules.sort_by(|left, right| left.name.cmp(&right.name));
                return Ok(ListSchedulesOutput { schedules, next_token });
            }
        }
    }
}

fn summary(place: &Place, schedule: ScheduleRecord) -> ScheduleSummary {
    ScheduleSummary {
        arn: Some(place.schedule_arn(&schedule.group, &schedule.name)),
        state: Some(state(schedule.is_enabled)),
        creation_date: Some(Timestamp::from_millis(schedule.created_ms)),
        last_modification_date: Some(Timestamp::from_millis(schedule.modified_ms)),
        target: Some(TargetSummary { arn: schedule.target.arn }),
        group_name: Some(schedule.group),
        name: Some(schedule.name),
    }
}
