//! Rules that fall due by time: each has a job waiting, which tells the rule's targets and plans the
//! next one in the same transaction; so no time fires twice.
//!
//! What fell due while haechi was down is made up for once, however often it was; a delay of some
//! minutes skips nothing.

use std::sync::Weak;

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Env, Event, Job, JobHandler, Region};
use haechi_events_model::Error;
use haechi_schedule::{Expression, TimeZone};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Place, RuleRecord, ScheduleRecord};
use crate::{Events, bus, matching, rule};

/// The kind of the jobs.
pub(crate) const SCHEDULE: &str = "event-schedule";

/// A time that is due for longer stands for all that came after it.
const LATE_MS_MAX: i64 = 5 * 60 * 1000;

/// Whose turn it is.
#[derive(Serialize, Deserialize)]
struct Due {
    account: AccountId,
    region: Region,
    rule: String,
}

/// Reads the expression of a rule: a rate or a cron expression.
pub(crate) fn expression(text: &str) -> Result<Expression, Error> {
    Expression::parse(text)
        .filter(|expression| !matches!(expression, Expression::At(_)))
        .ok_or_else(|| bus::invalid("Parameter ScheduleExpression is not valid."))
}

/// A rule's new schedule: the one it had if that says the same and waits already.
pub(crate) fn planned(
    env: &Env,
    now: Timestamp,
    text: Option<String>,
    is_enabled: bool,
    before: Option<&ScheduleRecord>,
) -> Result<Option<ScheduleRecord>, Error> {
    let Some(text) = text else { return Ok(None) };
    let expression = expression(&text)?;
    if let Some(before) = before
        && before.expression == text
        && before.next_ms.is_some() == is_enabled
    {
        return Ok(Some(before.clone()));
    }
    let origin_ms = now.millis();
    let next_ms = expression.next(origin_ms, origin_ms, &TimeZone::UTC).filter(|_| is_enabled);
    let id = env.uuid().map_err(Fault::internal)?.to_string();
    Ok(Some(ScheduleRecord { expression: text, id, origin_ms, next_ms }))
}

impl RuleRecord {
    /// The job that waits for the rule's next time.
    pub(crate) fn job(
        &self,
        (account, region): (&AccountId, &Region),
    ) -> Result<Option<Job>, Fault> {
        let Some(schedule) = &self.schedule else { return Ok(None) };
        let Some(next_ms) = schedule.next_ms else { return Ok(None) };
        let due = Due { account: account.clone(), region: region.clone(), rule: self.name.clone() };
        let payload = serde_json::to_string(&due).map_err(Fault::internal)?;
        Ok(Some(Job::new(SCHEDULE, &schedule.id, Timestamp::from_millis(next_ms), payload)))
    }

    /// Has the jobs follow from what the rule was to what it is.
    pub(crate) fn reschedule(
        &self,
        before: Option<&RuleRecord>,
        place: (&AccountId, &Region),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let before = before.map(|before| before.job(place)).transpose()?.flatten();
        let now = self.job(place)?;
        let same = |one: &Job, other: &Job| one.id == other.id && one.due_ms == other.due_ms;
        if let (Some(one), Some(other)) = (&before, &now)
            && same(one, other)
        {
            return Ok(());
        }
        before.iter().for_each(|job| batch.cancel(job));
        now.iter().for_each(|job| batch.schedule(job));
        Ok(())
    }
}

/// Tells the targets of rules that fall due.
pub(crate) struct Scheduled {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) events: Weak<Events>,
}

#[async_trait]
impl JobHandler for Scheduled {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let events = matching::alive(&self.events)?;
        let due: Due = job.read()?;
        let whose = (&due.account, &due.region);
        let path = Place::new(&due.account, &due.region).rule(bus::DEFAULT, &due.rule);
        let mut batch = Batch::new();
        let Some(row) = events.database.load::<RuleRecord>(&path).await? else { return Ok(batch) };
        let mut rule = row.value.clone();
        let Some(schedule) = rule.schedule.as_mut().filter(|schedule| {
            // Planned anew meanwhile, or turned off.
            schedule.id == job.id && schedule.next_ms == Some(job.due_ms)
        }) else {
            return Ok(batch);
        };
        let expression = Expression::parse(&schedule.expression)
            .ok_or_else(|| Fault::internal("a schedule that cannot be read"))?;
        let origin = schedule.origin_ms;
        let next = |after: i64| expression.next(after, origin, &TimeZone::UTC);
        let on_time = next(job.due_ms).filter(|next| *next > now.millis() - LATE_MS_MAX);
        schedule.next_ms = on_time.or_else(|| next(now.millis()));
        let time = Timestamp::from_millis(job.due_ms);
        let kind = ("aws.events", "Scheduled Event");
        let event = Event::new(&events.env, whose, time, kind, serde_json::json!({}))?;
        let event = event.about([rule::full_arn(whose, bus::DEFAULT, &rule.name)]);
        let json = event.json();
        for target in &rule.targets {
            let id = events.env.uuid().map_err(Fault::internal)?.to_string();
            if let Some(next) = matching::delivery((&event, &json), (&rule.name, target), &id, now)?
            {
                batch.schedule(&next);
            }
        }
        batch.replace(&row, &rule);
        rule.job(whose)?.iter().for_each(|job| batch.schedule(job));
        Ok(batch)
    }
}
