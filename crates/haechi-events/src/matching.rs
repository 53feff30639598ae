//! Events meet rules: a job turns an event into one delivery for each target of each rule that
//! matches, in one transaction; what that does not hold is left to another job.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::event::EVENT_JOB;
use haechi_core::{AccountId, Batch, Event, Job, JobHandler, Region};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivery::{Delivery, Message};
use crate::rule::Compiled;
use crate::store::{Place, TargetRecord};
use crate::{Events, request, rule, transform};

/// The kind of the jobs that carry an event to the rules that come after others.
pub(crate) const CONTINUATION: &str = "event-rest";

/// Targets that are served in one transaction, which takes a hundred writes.
const TARGETS_AT_ONCE: usize = 60;

/// Bytes after which a transaction takes no further delivery: a megabyte is its limit, and the last
/// delivery, whose text may grow to twice its length, and the event itself must fit too.
const BYTES_AT_ONCE: usize = 192 * 1024;

/// Bytes that a target may get: the longest event of `PutEvents`, with what it does not count.
const BODY_MAX: usize = 264 * 1024;

/// Buses that an event may pass on its way: rules can send it in circles.
const BUSES_MAX: usize = 8;

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
        alive(&self.events)?.fan_out(&job.id, Event::of(job)?, first, now).await
    }
}

#[async_trait]
impl JobHandler for Continuing {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let rest: Rest = job.read()?;
        // It ends with a mark of its own.
        let id = job.id.rsplit_once('+').map_or(&*job.id, |(id, _)| id);
        alive(&self.events)?.fan_out(id, rest.event, rest.after, now).await
    }
}

pub(crate) fn alive(events: &Weak<Events>) -> Result<Arc<Events>, Fault> {
    events.upgrade().ok_or_else(|| Fault::internal("the service of events has ended"))
}

impl Events {
    /// Schedules a delivery for each target that comes after `after` and whose rule matches; what
    /// one transaction does not hold is left to another job. `id` is that of the event's first job.
    async fn fan_out(
        &self,
        id: &str,
        event: Event,
        after: (String, String),
        now: Timestamp,
    ) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let (account, region) = event.place();
        let json = event.json();
        let seen = haechi_rules::Event::new(&json);
        let (mut count, mut bytes) = (0, 0);
        let rules = self.compiled(&Place::new(account, region), &event.bus).await?;
        // It grows by a mark from bus to bus.
        let is_circling = id.split('+').count() > BUSES_MAX;
        for rule in rules.iter().filter(|rule| rule.wants(&event, &seen)) {
            for target in &rule.targets {
                let at = (rule.name.clone(), target.id.clone());
                if at <= after {
                    continue;
                }
                let id = format!("{id}+{}", self.env.uuid().map_err(Fault::internal)?);
                if count == TARGETS_AT_ONCE || bytes > BYTES_AT_ONCE {
                    // This target is the next one's first.
                    let payload = serde_json::to_string(&Rest { event, after: last(&rules, &at) });
                    let payload = payload.map_err(Fault::internal)?;
                    batch.schedule(&Job::at_once(CONTINUATION, &id, now, payload));
                    return Ok(batch);
                }
                if is_circling && Bus::parse(&target.arn).is_some() {
                    tracing::warn!(rule = rule.name, "an event goes in circles and ends here");
                    continue;
                }
                count += 1;
                if let Some(next) = delivery((&event, &json), (&rule.name, target), &id, now)? {
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

/// An event bus, as an ARN names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bus {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
}

impl Bus {
    /// Reads the ARN of a bus.
    pub(crate) fn parse(arn: &str) -> Option<Bus> {
        let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
        let (partition, "events") = (parts.next()?, parts.next()?) else { return None };
        let region = Region::parse(parts.next()?)?;
        let account = AccountId::parse(parts.next()?)?;
        let name = parts.next()?.strip_prefix("event-bus/").filter(|name| !name.is_empty())?;
        (region.partition() == partition).then(|| Bus { account, region, name: name.to_owned() })
    }
}

/// What carries an event to a target of a rule; none if it is too long. Each id ends with a new UUID.
pub(crate) fn delivery(
    (event, json): (&Event, &serde_json::Value),
    (rule, target): (&str, &TargetRecord),
    id: &str,
    now: Timestamp,
) -> Result<Option<Job>, Fault> {
    let (account, region) = event.place();
    let rule_arn = rule::full_arn((account, region), &event.bus, rule);
    let bus = Bus::parse(&target.arn);
    if let Some(bus) = &bus
        && bus.account == *account
        && bus.region == *region
        && target.role_arn.is_none()
    {
        let mut passed_on = event.clone().on(account, region, &bus.name);
        id.rsplit('+').next().unwrap_or(id).clone_into(&mut passed_on.id);
        let payload = serde_json::to_string(&passed_on).map_err(Fault::internal)?;
        return Ok(Some(Job::at_once(EVENT_JOB, id, now, payload)));
    }
    let body = match &bus {
        // It gets the event as it is.
        Some(_) => serde_json::to_string(event).map_err(Fault::internal)?,
        None => {
            let received_ms = event.received_ms.unwrap_or(event.time_ms);
            let about = transform::About { rule_arn: &rule_arn, rule_name: rule, received_ms };
            transform::body(target, json, &about)
        }
    };
    if body.len() > BODY_MAX {
        tracing::warn!(rule, "what a target is to get is too long; it gets nothing");
        return Ok(None);
    }
    let message = Message {
        target_arn: target.arn.clone(),
        body,
        group_id: target.group_id.clone(),
        deduplication_id: format!("{}-{}", event.id, target.id),
        attributes: std::collections::BTreeMap::new(),
        trace: event.trace.clone(),
    };
    let mut delivery = Delivery::new(message, account, rule_arn, target, now);
    delivery.http = target.http.as_ref().map(|parameters| request::filled(parameters, json));
    delivery.first_job(id, now).map(Some)
}
