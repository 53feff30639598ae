//! Schedules fall due, and targets are called: two kinds of jobs.
//!
//! The first turns a time of a schedule into an invocation and plans the next time, in one
//! transaction; each invocation then stands for itself, with its own tries. What fell due while
//! haechi was down is made up for once, however often it was; a delay of some minutes skips nothing.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Job, JobHandler, Region};
use haechi_wire::{Fault, Problem, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Place, ScheduleRecord, TargetRecord};
use crate::target::{self, About};
use crate::{Refusal, Scheduler};

/// The kind of the jobs that wait for schedules.
pub(crate) const DUE: &str = "schedule-due";

/// The kind of the jobs that call targets.
pub(crate) const INVOCATION: &str = "schedule-invocation";

/// A time that is due for longer stands for all that came after it.
const LATE_MS_MAX: i64 = 5 * 60 * 1000;

/// Bytes of a payload that a dead letter holds.
const LETTER_MAX: usize = 200 * 1024;

/// Whose turn it is.
#[derive(Serialize, Deserialize)]
struct Due {
    account: AccountId,
    region: Region,
    group: String,
    schedule: String,
}

/// A target that is to be called.
#[derive(Serialize, Deserialize)]
struct Invocation {
    account: AccountId,
    region: Region,
    schedule_arn: String,
    scheduled_ms: i64,
    execution_id: String,
    target: TargetRecord,
    /// Tries so far.
    attempts: i32,
    /// When it is given up.
    until_ms: i64,
}

impl Place {
    /// The job that waits for a schedule's next time.
    pub(crate) fn job(&self, schedule: &ScheduleRecord) -> Result<Option<Job>, Fault> {
        let Some((_, called_ms)) = schedule.next_ms else { return Ok(None) };
        let due = Due {
            account: self.account.clone(),
            region: self.region.clone(),
            group: schedule.group.clone(),
            schedule: schedule.name.clone(),
        };
        let payload = serde_json::to_string(&due).map_err(Fault::internal)?;
        let time = Timestamp::from_millis(called_ms);
        Ok(Some(Job::new(DUE, &schedule.job_id, time, payload)))
    }
}

impl Invocation {
    fn first_job(&self, now: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::at_once(INVOCATION, &self.execution_id, now, payload))
    }

    fn job(&self, due: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::new(INVOCATION, &self.execution_id, due, payload))
    }

    fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }

    /// The group, as the schedule's ARN names it: `…:schedule/group/name`.
    fn group(&self) -> &str {
        self.schedule_arn.split('/').nth(1).unwrap_or_default()
    }

    fn about(&self) -> About {
        let time = Timestamp::from_millis(self.scheduled_ms);
        About {
            schedule_arn: self.schedule_arn.clone(),
            scheduled_time: time.format("%Y-%m-%dT%H:%M:%SZ"),
            execution_id: self.execution_id.clone(),
            attempt: self.attempts + 1,
            account: self.account.to_string(),
            region: self.region.to_string(),
        }
    }
}

fn alive(scheduler: &Weak<Scheduler>) -> Result<Arc<Scheduler>, Fault> {
    scheduler.upgrade().ok_or_else(|| Fault::internal("the service of schedules has ended"))
}

/// Waits for schedules.
pub(crate) struct FallingDue {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) scheduler: Weak<Scheduler>,
}

#[async_trait]
impl JobHandler for FallingDue {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let scheduler = alive(&self.scheduler)?;
        let due: Due = job.read()?;
        let place = Place { account: due.account, region: due.region };
        let path = place.schedule(&due.group, &due.schedule);
        let mut batch = Batch::new();
        let Some(row) = scheduler.database.load::<ScheduleRecord>(&path).await? else {
            return Ok(batch);
        };
        let mut schedule = row.value.clone();
        let due_ms = match schedule.next_ms {
            Some((due_ms, called_ms)) if schedule.job_id == job.id && called_ms == job.due_ms => {
                due_ms
            }
            // Planned anew meanwhile, or turned off.
            _ => return Ok(batch),
        };
        let next = |after: i64| {
            let next = schedule.timing.next(after);
            next.map_err(|error| Fault::internal(Problem::from(error).message()))
        };
        let late = now.millis().saturating_sub(job.due_ms) > LATE_MS_MAX;
        let next_ms = if late { next(now.millis())? } else { next(due_ms)? };
        let age = i64::from(schedule.target.retry_age_seconds);
        let invocation = Invocation {
            schedule_arn: place.schedule_arn(&schedule.group, &schedule.name),
            account: place.account.clone(),
            region: place.region.clone(),
            scheduled_ms: due_ms,
            execution_id: scheduler.env.uuid().map_err(Fault::internal)?.to_string(),
            target: schedule.target.clone(),
            attempts: 0,
            until_ms: now.plus_seconds(age).millis(),
        };
        batch.schedule(&invocation.first_job(now)?);
        if next_ms.is_none() && schedule.deletes_itself {
            batch.remove(&row);
            return Ok(batch);
        }
        schedule.next_ms = scheduler.called(&schedule.timing, next_ms)?;
        batch.replace(&row, &schedule);
        place.job(&schedule)?.iter().for_each(|job| batch.schedule(job));
        Ok(batch)
    }
}

/// Calls targets.
pub(crate) struct Invoking {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) scheduler: Weak<Scheduler>,
}

#[async_trait]
impl JobHandler for Invoking {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let scheduler = alive(&self.scheduler)?;
        let mut invocation: Invocation = job.read()?;
        let mut batch = Batch::new();
        let payload = target::payload(&invocation.target, &invocation.about());
        let refusal = match scheduler.invoke(&invocation, &payload).await {
            Ok(()) => return Ok(batch),
            Err(refusal) => refusal,
        };
        invocation.attempts += 1;
        let (code, message, exhausted) = match refusal {
            Refusal::Permanent { code, message } => (code, message, None),
            Refusal::Temporary { code, message } => {
                let later = now.plus_seconds(wait_seconds(invocation.attempts));
                let exhausted = if invocation.attempts > invocation.target.retry_attempts {
                    "MaximumRetryAttempts"
                } else if later.millis() >= invocation.until_ms {
                    "MaximumEventAgeInSeconds"
                } else {
                    batch.schedule(&invocation.job(later)?);
                    return Ok(batch);
                };
                (code, message, Some(exhausted))
            }
        };
        scheduler.give_up(&invocation, &payload, (code, message, exhausted)).await?;
        Ok(batch)
    }
}

impl Scheduler {
    /// One try.
    async fn invoke(&self, invocation: &Invocation, payload: &str) -> Result<(), Refusal> {
        let target = &invocation.target;
        let unusable = || Refusal::from(Fault::Validation("the target cannot be called".into()));
        let call = target::call(target, payload, &invocation.execution_id);
        self.call(invocation, &target.arn, &call.ok_or_else(unusable)?).await
    }

    async fn call(
        &self,
        invocation: &Invocation,
        arn: &str,
        call: &crate::Call,
    ) -> Result<(), Refusal> {
        let source = invocation.place().source(invocation.group());
        let role = &invocation.target.role_arn;
        let session = self.roles.assume("scheduler", &source, &invocation.region, role).await?;
        let region = target::region(arn).and_then(Region::parse);
        let region = region.unwrap_or_else(|| invocation.region.clone());
        self.calls.call(&session, &region, call).await
    }

    /// An invocation ends in its dead-letter queue, if it has one.
    async fn give_up(
        &self,
        invocation: &Invocation,
        payload: &str,
        (code, message, exhausted): (String, String, Option<&'static str>),
    ) -> Result<(), Fault> {
        let (schedule, target) = (&invocation.schedule_arn, &invocation.target.arn);
        tracing::warn!(schedule, target, code, message, "a target was not called");
        let Some(queue) = &invocation.target.dead_letter_arn else { return Ok(()) };
        let about = invocation.about();
        let body: String = payload.chars().take(LETTER_MAX).collect();
        let is_truncated = body.len() < payload.len();
        let mut attributes = vec![
            ("ERROR_CODE", code),
            ("ERROR_MESSAGE", message),
            ("EXECUTION_ID", invocation.execution_id.clone()),
            ("IS_PAYLOAD_TRUNCATED", is_truncated.to_string()),
            ("RETRY_ATTEMPTS", (invocation.attempts - 1).max(0).to_string()),
            ("SCHEDULED_TIME", about.scheduled_time),
            ("SCHEDULE_ARN", schedule.clone()),
            ("TARGET_ARN", target.clone()),
        ];
        attributes.extend(exhausted.map(|why| ("EXHAUSTED_RETRY_CONDITION", why.to_owned())));
        attributes.retain(|(_, text)| !text.is_empty());
        let Some(letter) = target::dead_letter(queue, &body, &attributes) else { return Ok(()) };
        match self.call(invocation, queue, &letter).await {
            Ok(()) => Ok(()),
            // The whole invocation is tried once more later.
            Err(Refusal::Temporary { message, .. }) => Err(Fault::internal(message)),
            // A dead letter that is refused too is gone, as with AWS.
            Err(refusal) => {
                tracing::error!(queue, ?refusal, "a dead letter is lost");
                Ok(())
            }
        }
    }

    /// When the target is called for a time.
    pub(crate) fn called(
        &self,
        timing: &crate::store::Timing,
        next_ms: Option<i64>,
    ) -> Result<Option<(i64, i64)>, Fault> {
        let Some(next_ms) = next_ms else { return Ok(None) };
        let (random, _) = self.env.uuid().map_err(Fault::internal)?.as_u64_pair();
        // The halves of a UUID have fixed bits on their ends; the middle is random.
        Ok(Some((next_ms, timing.called_ms(next_ms, random >> 16))))
    }
}

/// Seconds until the next try: twice as long each time, up to ten minutes.
fn wait_seconds(attempts: i32) -> i64 {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(10);
    (1_i64 << doublings).min(600)
}
