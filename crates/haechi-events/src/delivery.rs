//! Events meet rules, and targets get them.
//!
//! Both are jobs: the first turns an event into one delivery for each target of each rule that
//! matches, in one transaction; each delivery then stands for itself, with its own tries.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::event::EVENT_JOB;
use haechi_core::{AccountId, Batch, Env, Event, Job, JobHandler, Source};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Events;
use crate::rule::Compiled;
use crate::store::{Place, TargetRecord};
use crate::{rule, transform};

/// The kind of the jobs that carry an event to a target.
pub(crate) const DELIVERY: &str = "event-delivery";

/// Tries after the first, unless a target says otherwise (User Guide, "Retrying event delivery").
const ATTEMPTS_MAX: i32 = 185;

/// The age at which an event is given up, unless a target says otherwise: a day.
const AGE_SECONDS_MAX: i32 = 86_400;

/// The kind of the jobs that carry an event to the rules that come after others.
pub(crate) const CONTINUATION: &str = "event-rest";

/// Targets that are served in one transaction, which takes a hundred writes.
const TARGETS_AT_ONCE: usize = 60;

/// Bytes after which a transaction takes no further delivery: a megabyte is its limit.
const BYTES_AT_ONCE: usize = 256 * 1024;

/// Bytes that a target may get (SQS: a message of 256 KiB).
const BODY_MAX: usize = 256 * 1024;

/// Buses that an event may pass on its way: rules can send it in circles.
const BUSES_MAX: usize = 8;

/// What a target is to get.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The target's ARN.
    pub target_arn: String,
    /// What it gets.
    pub body: String,
    /// The message group, where the target is a FIFO queue.
    pub group_id: Option<String>,
    /// What tells a message that is delivered twice from two, where the target wants to know.
    pub deduplication_id: String,
    /// Of a dead letter: why the target did not get it.
    pub error: Option<String>,
}

/// Why a target did not take a message.
#[derive(Debug)]
pub enum Refusal {
    /// It will not take it later either: it does not exist, or its policy does not allow it.
    Permanent(String),
    /// It may take it later.
    Temporary(Fault),
}

/// What takes messages: the other services, wired by the binary.
#[async_trait]
pub trait Targets: Send + Sync + 'static {
    /// Hands a message to a target on behalf of a rule, if the target's policy lets EventBridge.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal>;
}

/// A message on its way.
#[derive(Serialize, Deserialize)]
struct Delivery {
    message: Message,
    rule_arn: String,
    account: AccountId,
    dead_letter_arn: Option<String>,
    attempts_max: i32,
    /// When it is given up.
    until_ms: i64,
    attempts: i32,
}

/// Finds out who wants an event: the first part of the rules.
pub(crate) struct Matching {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) events: Weak<Events>,
}

/// As [`Matching`], from where a transaction was full.
pub(crate) struct Continuing {
    pub(crate) events: Weak<Events>,
}

/// An event that some rules have seen: the last target that got it, by rule and id.
#[derive(Serialize, Deserialize)]
struct Rest {
    event: Event,
    after: (String, String),
}

#[async_trait]
impl JobHandler for Matching {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let first = (String::new(), String::new());
        alive(&self.events)?.fan_out(job, Event::of(job)?, first, now).await
    }
}

#[async_trait]
impl JobHandler for Continuing {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let rest: Rest = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        alive(&self.events)?.fan_out(job, rest.event, rest.after, now).await
    }
}

fn alive(events: &Weak<Events>) -> Result<Arc<Events>, Fault> {
    events.upgrade().ok_or_else(|| Fault::internal("the service of events has ended"))
}

impl Events {
    /// Schedules a delivery for each target that comes after `after` and whose rule matches; what
    /// one transaction does not hold is left to another job.
    async fn fan_out(
        &self,
        job: &Job,
        event: Event,
        after: (String, String),
        now: Timestamp,
    ) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let place = Place { account: event.account.to_string(), region: event.region.to_string() };
        let json = event.json();
        let (mut count, mut bytes) = (0, 0);
        let rules = self.compiled(&place, &event.bus).await?;
        for rule in rules.iter().filter(|rule| rule.pattern.matches(&json)) {
            for target in &rule.targets {
                let at = (rule.name.clone(), target.id.clone());
                if at <= after {
                    continue;
                }
                let id = format!("{}+{}", job.id, self.env.uuid().map_err(Fault::internal)?);
                if count == TARGETS_AT_ONCE || bytes > BYTES_AT_ONCE {
                    // This target is the next one's first.
                    let payload = serde_json::to_string(&Rest { event, after: last(&rules, &at) });
                    let payload = payload.map_err(Fault::internal)?;
                    batch.schedule(&Job::new(CONTINUATION, &id, now, payload));
                    return Ok(batch);
                }
                let next = next_job(job, &event, (rule, target), &json, &id, now)?;
                count += 1;
                if let Some(next) = next {
                    bytes += next.payload.len();
                    batch.schedule(&next);
                }
            }
        }
        Ok(batch)
    }
}

/// The place just before `at`, in the order of rules and targets.
fn last(rules: &[Compiled], at: &(String, String)) -> (String, String) {
    let all = rules
        .iter()
        .flat_map(|rule| rule.targets.iter().map(|target| (rule.name.clone(), target.id.clone())));
    all.take_while(|place| place < at).last().unwrap_or_default()
}

/// What carries an event to a target; none if it has been on too many buses, or is too long.
fn next_job(
    job: &Job,
    event: &Event,
    (rule, target): (&Compiled, &TargetRecord),
    json: &serde_json::Value,
    id: &str,
    now: Timestamp,
) -> Result<Option<Job>, Fault> {
    if let Some((_, bus)) = target.arn.split_once(":event-bus/") {
        // The id grows by a mark from job to job.
        if job.id.split('+').count() > BUSES_MAX {
            tracing::warn!(rule = rule.name, "an event goes in circles and ends here");
            return Ok(None);
        }
        let passed_on = Event { bus: bus.to_owned(), ..event.clone() };
        let payload = serde_json::to_string(&passed_on).map_err(Fault::internal)?;
        return Ok(Some(Job::new(EVENT_JOB, id, now, payload)));
    }
    let rule_arn = format!(
        "arn:{}:events:{}:{}:{}",
        event.region.partition(),
        event.region,
        event.account,
        rule::resource(&event.bus, &rule.name)
    );
    let named = transform::Rule { arn: &rule_arn, name: &rule.name };
    let body = transform::body(target, json, &named);
    if body.len() > BODY_MAX {
        tracing::warn!(rule = rule.name, "what a target is to get is too long; it gets nothing");
        return Ok(None);
    }
    let age = i64::from(target.retry_age_seconds.unwrap_or(AGE_SECONDS_MAX));
    let delivery = Delivery {
        message: Message {
            target_arn: target.arn.clone(),
            body,
            group_id: target.group_id.clone(),
            deduplication_id: format!("{}-{}", event.id, target.id),
            error: None,
        },
        account: event.account.clone(),
        dead_letter_arn: target.dead_letter_arn.clone(),
        attempts_max: target.retry_attempts.unwrap_or(ATTEMPTS_MAX),
        until_ms: now.plus_seconds(age).millis(),
        attempts: 0,
        rule_arn,
    };
    job_of(&delivery, id, now).map(Some)
}

fn job_of(delivery: &Delivery, id: &str, due: Timestamp) -> Result<Job, Fault> {
    let payload = serde_json::to_string(delivery).map_err(Fault::internal)?;
    Ok(Job::new(DELIVERY, id, due, payload))
}

/// Carries messages to targets.
pub(crate) struct Delivering {
    pub(crate) env: Env,
    pub(crate) targets: Arc<dyn Targets>,
}

#[async_trait]
impl JobHandler for Delivering {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut delivery: Delivery = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let rule = Source { arn: delivery.rule_arn.clone(), account: delivery.account.clone() };
        let outcome = self.targets.deliver(rule.clone(), &delivery.message).await;
        let mut batch = Batch::new();
        let error = match outcome {
            Ok(()) => return Ok(batch),
            Err(Refusal::Permanent(error)) => error,
            Err(Refusal::Temporary(fault)) => {
                delivery.attempts += 1;
                let later = now.plus_seconds(wait_seconds(delivery.attempts));
                if delivery.attempts <= delivery.attempts_max && later.millis() < delivery.until_ms
                {
                    batch.schedule(&job_of(&delivery, &job.id, later)?);
                    return Ok(batch);
                }
                fault.to_string()
            }
        };
        let target = &delivery.message.target_arn;
        tracing::warn!(rule = delivery.rule_arn, target, error, "an event was not delivered");
        // A dead letter that is refused too is gone, as with AWS.
        if let Some(queue) = delivery.dead_letter_arn {
            let letter = Message {
                target_arn: queue,
                deduplication_id: self.env.uuid().map_err(Fault::internal)?.to_string(),
                error: Some(error),
                ..delivery.message
            };
            if let Err(refusal) = self.targets.deliver(rule, &letter).await {
                tracing::error!(queue = letter.target_arn, ?refusal, "a dead letter is lost");
            }
        }
        Ok(batch)
    }
}

/// Seconds until the next try: twice as long each time, up to ten minutes.
fn wait_seconds(attempts: i32) -> i64 {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(10);
    (1_i64 << doublings).min(600)
}
