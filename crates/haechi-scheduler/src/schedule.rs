//! Schedules: what is accepted, how they are shown.

use haechi_core::{Batch, Cx, Loaded, Source};
use haechi_schedule::Expression;
use haechi_scheduler_model::Error;
use haechi_scheduler_model::shapes::{FlexibleTimeWindow, FlexibleTimeWindowMode};
use haechi_wire::{Fault, Timestamp};

use crate::store::{Place, ScheduleRecord, Timing};
use crate::{Scheduler, invalid};

/// How long ago a schedule may have begun that is made or changed.
const START_LATE_MS: i64 = 5 * 60 * 1000;

pub(crate) fn missing(name: &str) -> Error {
    Error::ResourceNotFoundException(format!("Schedule {name} does not exist."))
}

/// What a request says of when a schedule falls due.
pub(crate) struct When {
    pub(crate) expression: String,
    pub(crate) zone: Option<String>,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) window: FlexibleTimeWindow,
}

/// Checks when a schedule is to fall due; `before` is when it did.
pub(crate) fn timing(cx: &Cx, when: When, before: Option<&Timing>) -> Result<Timing, Error> {
    let (start_ms, end_ms) = (when.start.map(Timestamp::millis), when.end.map(Timestamp::millis));
    if let Some(end) = end_ms
        && (end <= cx.now().millis() || start_ms.is_some_and(|start| start >= end))
    {
        return Err(invalid("The EndDate must be in the future and after the StartDate."));
    }
    let window_minutes = match (when.window.mode, when.window.maximum_window_in_minutes) {
        (FlexibleTimeWindowMode::Flexible, Some(minutes)) => Some(minutes),
        (FlexibleTimeWindowMode::Flexible, None) => {
            let told = "MaximumWindowInMinutes must be specified for a flexible time window.";
            return Err(invalid(told));
        }
        (_, Some(_)) => {
            let told = "MaximumWindowInMinutes must not be specified when Mode is OFF.";
            return Err(invalid(told));
        }
        (_, None) => None,
    };
    let mut timing = Timing {
        expression: when.expression,
        zone: when.zone,
        start_ms,
        end_ms,
        origin_ms: 0,
        window_minutes,
    };
    let (expression, _) = timing.read()?;
    // Once is once, whatever its start.
    let is_repeated = !matches!(expression, Expression::At(_));
    if is_repeated && start_ms.is_some_and(|start| start < cx.now().millis() - START_LATE_MS) {
        let told = "The StartDate you specify cannot be earlier than 5 minutes ago.";
        return Err(invalid(told));
    }
    // A rate that stays as it is goes on as before.
    let same = |before: &&Timing| {
        before.expression == timing.expression && before.start_ms == timing.start_ms
    };
    timing.origin_ms = match before.filter(same) {
        Some(before) => before.origin_ms,
        None => start_ms.unwrap_or(cx.now().millis()),
    };
    Ok(timing)
}

/// As answers show it.
pub(crate) fn window(timing: &Timing) -> FlexibleTimeWindow {
    let mode = match timing.window_minutes {
        Some(_) => FlexibleTimeWindowMode::Flexible,
        None => FlexibleTimeWindowMode::Off,
    };
    FlexibleTimeWindow { mode, maximum_window_in_minutes: timing.window_minutes }
}

impl Scheduler {
    /// A schedule that the caller may call this operation on.
    pub(crate) async fn schedule(
        &self,
        cx: &Cx,
        group: &str,
        name: &str,
    ) -> Result<(Place, Loaded<ScheduleRecord>), Error> {
        let place = Place::of(cx);
        cx.authorize_on(&place.schedule_arn(group, name))?;
        self.group(&place, group).await?;
        let found = self.database.load::<ScheduleRecord>(&place.schedule(group, name)).await?;
        let found = found.ok_or_else(|| missing(name))?;
        Ok((place, found))
    }

    /// Decides on a schedule's role: whether the caller may pass it, and whether it lets itself be
    /// assumed.
    pub(crate) async fn check_role(
        &self,
        cx: &Cx,
        role_arn: &str,
        source: &Source,
    ) -> Result<(), Error> {
        cx.authorize_pass_role(role_arn, "scheduler")?;
        match self.roles.assume("scheduler", source, &cx.region, role_arn).await {
            Ok(_) => Ok(()),
            Err(Fault::AccessDenied(_)) => Err(invalid(
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            )),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Plans a schedule's next time anew, if it is on; its job from before counts no more.
    pub(crate) fn plan(
        &self,
        cx: &Cx,
        place: &Place,
        schedule: &mut ScheduleRecord,
        before: Option<&ScheduleRecord>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        if let Some(job) = before.map(|before| place.job(before)).transpose()?.flatten() {
            batch.cancel(&job);
        }
        schedule.job_id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        // What a rate begins with has been, if the schedule was there before.
        let after_ms = cx.now().millis() - i64::from(before.is_none());
        let next_ms = if schedule.is_enabled { schedule.timing.next(after_ms)? } else { None };
        schedule.next_ms = self.called(&schedule.timing, next_ms)?;
        place.job(schedule)?.iter().for_each(|job| batch.schedule(job));
        Ok(())
    }
}
