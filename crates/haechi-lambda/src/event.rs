//! Job: asynchronous invocations, tries, dead letters, destinations.
//!
//! Source: Developer Guide, "Error handling for asynchronous invocation", "Capturing records of
//! Lambda asynchronous invocations"; recordings.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler};
use haechi_lambda_model::Error;
use haechi_wire::{Fault, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Lambda;
use crate::function::Function;
use crate::invoke::{Done, Given};
use crate::reference::{LATEST, Reference};
use crate::role::Message;
use crate::store::{EventInvoke, Version};

/// The kind of the jobs.
pub(crate) const EVENT: &str = "lambda-event";

/// Bytes of an event that is invoked asynchronously, at most: it is a row until it is taken.
pub(crate) const PAYLOAD_MAX: usize = 262_144;

/// Tries after the first, unless the function says otherwise.
const RETRIES: i32 = 2;

/// Seconds after which an event is given up, unless the function says otherwise: six hours.
const AGE_SECONDS: i32 = 21_600;

/// Events that are worked on at a time.
const AT_A_TIME: usize = 16;

/// Seconds until an event that was throttled is tried again: doubled, five minutes at the most.
const THROTTLED_SECONDS_MAX: i64 = 300;

/// An event that waits.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) function_arn: String,
    pub(crate) request_id: String,
    pub(crate) payload: String,
    pub(crate) begun_ms: i64,
    /// Times that the function has failed.
    pub(crate) failures: i32,
    /// Times that there was no room.
    pub(crate) throttled: u32,
}

impl Event {
    /// The job that tries it first.
    pub(crate) fn first_job(&self, now: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::at_once(EVENT, &self.request_id, now, payload))
    }

    /// The job that tries it again.
    fn job(&self, due: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::new(EVENT, &self.request_id, due, payload))
    }
}

/// Hands events to functions.
pub(crate) struct Events {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) lambda: Weak<Lambda>,
}

#[async_trait]
impl JobHandler for Events {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let lambda = self.lambda.upgrade();
        let lambda: Arc<Lambda> = lambda.ok_or_else(|| Fault::internal("Lambda has ended"))?;
        let event: Event = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        lambda.take(event, now).await
    }

    fn at_a_time(&self) -> usize {
        AT_A_TIME
    }
}

impl Lambda {
    async fn take(&self, mut event: Event, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let reference = Reference::parse(&event.function_arn)
            .ok_or_else(|| Fault::internal("an event for no function"))?;
        let Some(function) = self.load(&reference).await? else { return Ok(batch) };
        let key = reference.qualifier.as_deref().unwrap_or(LATEST);
        let rules = function.record.event_invoke.get(key).cloned().unwrap_or_default();
        let until = event.begun_ms + 1000 * i64::from(rules.age_seconds.unwrap_or(AGE_SECONDS));
        let version = match self.drawn(&function).await {
            Ok(version) => version,
            Err(Error::Fault(fault)) => return Err(fault),
            // What the qualifier named is gone.
            Err(_) => return Ok(batch),
        };
        let told = Told { function: &function, version: &version, rules: &rules };
        if now.millis() >= until {
            self.tell(&told, &event, "EventAgeExceeded", None).await?;
            return Ok(batch);
        }
        // As recorded: where nothing may run, nothing is waited for.
        if function.record.reserved == Some(0) {
            self.tell(&told, &event, "ZeroReservedConcurrency", None).await?;
            return Ok(batch);
        }
        let given = Given {
            request_id: event.request_id.clone(),
            payload: event.payload.clone().into(),
            client_context: None,
        };
        let done = self.run(&function, &version, given).await;
        let wait = match done {
            Ok(done) if !done.failed => {
                self.tell(&told, &event, "Success", Some(&done)).await?;
                return Ok(batch);
            }
            Ok(done) => {
                event.failures += 1;
                if event.failures > rules.retries.unwrap_or(RETRIES) {
                    self.tell(&told, &event, "RetriesExhausted", Some(&done)).await?;
                    return Ok(batch);
                }
                let wait = 60 * i64::from(event.failures);
                // As recorded: what would be too old when its turn came is given up at once.
                if self.env.now().plus_seconds(wait).millis() >= until {
                    self.tell(&told, &event, "EventAgeExceeded", Some(&done)).await?;
                    return Ok(batch);
                }
                wait
            }
            // No room, or a role that does not trust Lambda just now.
            Err(error) => {
                let problem = Problem::from(error);
                tracing::warn!(
                    function = event.function_arn,
                    error = problem.message(),
                    "an event has to wait"
                );
                event.throttled = event.throttled.saturating_add(1);
                (1_i64 << event.throttled.min(9)).min(THROTTLED_SECONDS_MAX)
            }
        };
        batch.schedule(&event.job(self.env.now().plus_seconds(wait))?);
        Ok(batch)
    }

    /// Tells dead-letter queue and destination what came of an event.
    async fn tell(
        &self,
        told: &Told<'_>,
        event: &Event,
        condition: &str,
        done: Option<&Done>,
    ) -> Result<(), Fault> {
        let Told { function, version, rules } = told;
        let success = condition == "Success";
        let destination = if success { &rules.on_success } else { &rules.on_failure };
        let mut messages = Vec::new();
        if let Some(queue) = version.dead_letter_arn.as_ref().filter(|_| !success) {
            messages.push(dead_letter(queue, event, done));
        }
        if let Some(queue) = destination {
            let body = self.record(told, event, condition, done).to_string();
            messages.push(Message { target_arn: queue.clone(), body, attributes: Vec::new() });
        }
        for message in messages {
            let (source, region) = (function.reference.source()?, &function.reference.region);
            let target = message.target_arn.clone();
            let sent = self.roles.send(source, region, &version.role, message).await;
            // As with AWS: what cannot be told is lost.
            if let Err(error) = sent {
                tracing::error!(function = event.function_arn, target, error, "a record is lost");
            }
        }
        Ok(())
    }

    /// What a destination gets.
    fn record(
        &self,
        told: &Told<'_>,
        event: &Event,
        condition: &str,
        done: Option<&Done>,
    ) -> Value {
        let parsed = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or(Value::Null);
        let now = self.env.now();
        let stamp =
            format!("{}.{:03}Z", now.format("%Y-%m-%dT%H:%M:%S"), now.millis().rem_euclid(1000));
        let qualifier = told.function.reference.qualifier.as_deref().unwrap_or(LATEST);
        let count = event.failures + i32::from(condition == "Success");
        let mut record = json!({
            "version": "1.0",
            "timestamp": stamp,
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": told.function.reference.version_arn(qualifier),
                "condition": condition,
                "approximateInvokeCount": count,
            },
            "requestPayload": parsed(event.payload.as_bytes()),
        });
        if let (Some(done), Some(map)) = (done, record.as_object_mut()) {
            let mut context = json!({"statusCode": 200, "executedVersion": done.version});
            if let (true, Some(context)) = (done.failed, context.as_object_mut()) {
                context.insert("functionError".to_owned(), "Unhandled".into());
            }
            map.insert("responseContext".to_owned(), context);
            map.insert("responsePayload".to_owned(), parsed(&done.payload));
        }
        record
    }
}

/// What is told of.
struct Told<'a> {
    function: &'a Function,
    version: &'a Version,
    rules: &'a EventInvoke,
}

fn dead_letter(queue: &str, event: &Event, done: Option<&Done>) -> Message {
    let error = done.and_then(|done| {
        let told: Value = serde_json::from_slice(&done.payload).ok()?;
        Some(told.get("errorMessage")?.as_str()?.to_owned())
    });
    let mut attributes = vec![("RequestID", "String", event.request_id.clone())];
    if done.is_some() {
        attributes.push(("ErrorCode", "Number", "200".to_owned()));
    }
    if let Some(error) = error.filter(|error| !error.is_empty()) {
        attributes.push(("ErrorMessage", "String", error.chars().take(1024).collect()));
    }
    Message { target_arn: queue.to_owned(), body: event.payload.clone(), attributes }
}
