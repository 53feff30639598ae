//! Targets get events: each delivery is a job, and stands for itself with its own tries.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::jobs::KIND_MAX;
use haechi_core::{AccountId, Batch, Job, JobHandler, Region, RoleSession, Source};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::matching::{self, Bus};
use crate::store::{HttpRecord, TargetRecord};
use crate::{Events, api_destination, invocation, passing};

/// The kind of the jobs that carry an event to a target.
pub(crate) const DELIVERY: &str = "event-delivery";

/// The same where the target is an endpoint of somebody else's: slow ones hold up none but
/// themselves.
pub(crate) const HTTP_DELIVERY: &str = "event-http-delivery";

/// Endpoints that are called at a time.
const ENDPOINTS_AT_A_TIME: usize = 64;

/// What a target that did not take an event in time answers, if it says nothing else.
const FAILED: &str = "SDK_CLIENT_ERROR";

/// Tries after the first, unless a target says otherwise (User Guide, "Retrying event delivery").
const ATTEMPTS_MAX: i32 = 185;

/// The age at which an event is given up, unless a target says otherwise: a day.
const AGE_SECONDS_MAX: i32 = 86_400;

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
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Where it stands in a trace of X-Ray.
    #[serde(default)]
    pub trace: Option<String>,
}

/// Why a target did not take a message.
#[derive(Debug)]
pub enum Refusal {
    /// It will not take it later either: it does not exist, or its policy does not allow it.
    Permanent {
        /// The code of the error, as dead letters tell it.
        code: String,
        /// In the target's words.
        message: String,
    },
    /// It may take it later.
    Temporary(Fault),
    /// It was asked, and did not take it; it may another time.
    Failed {
        /// The code of the error, as dead letters tell it.
        code: &'static str,
        /// What happened.
        message: String,
        /// Not earlier than in so many seconds.
        seconds: i64,
    },
    /// It may take it, not earlier than in so many seconds.
    Later {
        /// From now on.
        seconds: i64,
        /// Whether this was a try: a target that was not asked was not tried.
        is_try: bool,
        /// Why.
        message: String,
    },
}

impl Refusal {
    /// A target that must not be reached.
    pub fn denied(message: impl Into<String>) -> Refusal {
        Refusal::Permanent { code: "NO_PERMISSIONS".to_owned(), message: message.into() }
    }

    /// A target, or what it needs, that is not there.
    pub(crate) fn gone(message: impl Into<String>) -> Refusal {
        Refusal::Permanent { code: "NO_RESOURCE".to_owned(), message: message.into() }
    }

    /// A role that cannot be assumed.
    pub(crate) fn of_role(fault: Fault) -> Refusal {
        match fault {
            Fault::AccessDenied(message) => {
                Refusal::Permanent { code: "FAILED_TO_ASSUME_ROLE".to_owned(), message }
            }
            other => Refusal::of(other),
        }
    }

    /// What an error of a target's service means, under EventBridge's code for it (User Guide,
    /// "Using dead-letter queues").
    pub fn of_target(code: &str, message: String) -> Refusal {
        let is = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
        let code = match () {
            () if is(&["AccessDenied", "Authorization"]) => return Refusal::denied(message),
            () if is(&["NotFound", "DoesNotExist", "NonExistent"]) => {
                return Refusal::gone(message);
            }
            () if is(&["Throttl", "TooManyRequests"]) => {
                return Refusal::Failed { code: "THROTTLING", message, seconds: 0 };
            }
            () if is(&["Invalid", "Validation"]) => "INVALID_PARAMETER",
            () => "ERROR_FROM_TARGET",
        };
        Refusal::Permanent { code: code.to_owned(), message }
    }

    /// What happened.
    pub(crate) fn message(&self) -> String {
        match self {
            Refusal::Permanent { message, .. }
            | Refusal::Failed { message, .. }
            | Refusal::Later { message, .. } => message.clone(),
            Refusal::Temporary(fault) => fault.to_string(),
        }
    }

    /// What a fault of a call on the target's behalf means.
    pub fn of(fault: Fault) -> Refusal {
        match fault {
            Fault::AccessDenied(message) => Refusal::denied(message),
            fault @ (Fault::Unavailable { .. }
            | Fault::Internal(_)
            | Fault::Conflict
            | Fault::Throttled) => Refusal::Temporary(fault),
            refused => Refusal::Permanent {
                code: "INVALID_PARAMETER".to_owned(),
                message: refused.to_string(),
            },
        }
    }
}

/// What takes messages: the other services, wired by the binary.
#[async_trait]
pub trait Targets: Send + Sync + 'static {
    /// Whether targets of a service can be reached: the third part of their ARNs (`sqs`).
    fn has(&self, service: &str) -> bool;

    /// Hands a message to a target on behalf of a rule, if the target's policy lets EventBridge.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal>;

    /// Hands a message to a target in the name of a role, if its policies and the target's let it.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn deliver_as(&self, role: &RoleSession, message: &Message) -> Result<(), Refusal>;
}

/// A message on its way.
#[derive(Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    pub(crate) rule_arn: String,
    pub(crate) account: AccountId,
    #[serde(default)]
    pub(crate) role_arn: Option<String>,
    /// What an API destination is asked with.
    #[serde(default)]
    pub(crate) http: Option<HttpRecord>,
    dead_letter_arn: Option<String>,
    attempts_max: i32,
    /// When it is given up.
    until_ms: i64,
    attempts: i32,
}

impl Delivery {
    /// A message of a rule of an account for one of its targets.
    pub(crate) fn new(
        message: Message,
        account: &AccountId,
        rule_arn: String,
        target: &TargetRecord,
        now: Timestamp,
    ) -> Delivery {
        let age = i64::from(target.retry_age_seconds.unwrap_or(AGE_SECONDS_MAX));
        Delivery {
            message,
            rule_arn,
            account: account.clone(),
            role_arn: target.role_arn.clone(),
            http: None,
            dead_letter_arn: target.dead_letter_arn.clone(),
            attempts_max: target.retry_attempts.unwrap_or(ATTEMPTS_MAX),
            until_ms: now.plus_seconds(age).millis(),
            attempts: 0,
        }
    }

    fn kind(&self) -> &'static str {
        if api_destination::is_one(&self.message.target_arn) { HTTP_DELIVERY } else { DELIVERY }
    }

    /// The job that carries it for the first time.
    pub(crate) fn first_job(&self, id: &str, now: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::at_once(self.kind(), id, now, payload))
    }

    /// The job that carries it.
    pub(crate) fn job(&self, id: &str, due: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::new(self.kind(), id, due, payload))
    }

    /// On whose behalf it goes.
    pub(crate) fn source(&self) -> Source {
        Source { arn: self.rule_arn.clone(), account: self.account.clone() }
    }
}

/// Why a delivery is given up, in the words of dead letters (User Guide, "Using dead-letter
/// queues").
struct GivenUp {
    code: String,
    message: String,
    exhausted: Option<&'static str>,
}

/// Carries messages to targets.
pub(crate) struct Delivering {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) events: Weak<Events>,
    /// Whether these are the ones to endpoints of others.
    pub(crate) is_http: bool,
}

#[async_trait]
impl JobHandler for Delivering {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let events = matching::alive(&self.events)?;
        let mut delivery: Delivery = job.read()?;
        let mut batch = Batch::new();
        let outcome = events.hand_over(job, &delivery, now, &mut batch).await;
        let (code, message, seconds) = match outcome {
            Ok(()) => return Ok(batch),
            Err(Refusal::Permanent { code, message }) => {
                let why = GivenUp { code, message, exhausted: None };
                events.give_up(delivery, why).await?;
                return Ok(batch);
            }
            Err(Refusal::Temporary(fault)) => {
                delivery.attempts += 1;
                (FAILED, fault.to_string(), wait_seconds(delivery.attempts))
            }
            Err(Refusal::Failed { code, message, seconds }) => {
                delivery.attempts += 1;
                (code, message, seconds.max(wait_seconds(delivery.attempts)))
            }
            Err(Refusal::Later { seconds, is_try, message }) => {
                delivery.attempts += i32::from(is_try);
                let least = if is_try { wait_seconds(delivery.attempts) } else { 1 };
                (FAILED, message, seconds.max(least))
            }
        };
        let later = now.plus_seconds(seconds);
        let exhausted = match (delivery.attempts > delivery.attempts_max, later.millis()) {
            (true, _) => "MaximumRetryAttempts",
            (false, later) if later >= delivery.until_ms => "MaximumEventAgeInSeconds",
            _ => {
                batch.schedule(&delivery.job(&job.id, later)?);
                return Ok(batch);
            }
        };
        let (code, exhausted) = (code.to_owned(), Some(exhausted));
        events.give_up(delivery, GivenUp { code, message, exhausted }).await?;
        Ok(batch)
    }

    fn at_a_time(&self) -> usize {
        if self.is_http { ENDPOINTS_AT_A_TIME } else { KIND_MAX }
    }
}

impl Events {
    /// One try.
    async fn hand_over(
        self: &Arc<Self>,
        job: &Job,
        delivery: &Delivery,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        if let Some(bus) = Bus::parse(&delivery.message.target_arn) {
            return passing::pass_on(self, job, delivery, &bus, now, batch).await;
        }
        if api_destination::is_one(&delivery.message.target_arn) {
            return invocation::invoke(self, delivery, now).await;
        }
        self.serve(delivery).await
    }

    /// Hands a message to another service's target: in the name of the target's role, where it has
    /// one, so that the role's policies and its organization's decide too. To other accounts
    /// nothing goes without (User Guide, "Sending events to an AWS service in another account").
    async fn serve(&self, delivery: &Delivery) -> Result<(), Refusal> {
        let (targets, message) = (&self.around.targets, &delivery.message);
        let Some(role) = &delivery.role_arn else {
            let account = message.target_arn.split(':').nth(4);
            if account != Some(delivery.account.as_str()) {
                let told = "A target in another account needs a role.";
                return Err(Refusal::denied(told));
            }
            return targets.deliver(delivery.source(), message).await;
        };
        let region = message.target_arn.split(':').nth(3).and_then(Region::parse);
        let region = region.ok_or_else(|| {
            Refusal::of(Fault::Validation("the target's ARN names no Region".to_owned()))
        })?;
        let session = self.around.roles.assume("events", &delivery.source(), &region, role).await;
        targets.deliver_as(&session.map_err(Refusal::of_role)?, message).await
    }

    /// A delivery ends in its dead-letter queue, if it has one.
    async fn give_up(&self, delivery: Delivery, why: GivenUp) -> Result<(), Fault> {
        let target = &delivery.message.target_arn;
        let (rule, error) = (&delivery.rule_arn, &why.message);
        tracing::warn!(rule, target, error, "an event was not delivered");
        let Some(queue) = &delivery.dead_letter_arn else { return Ok(()) };
        let mut attributes = BTreeMap::from([
            ("RULE_ARN".to_owned(), delivery.rule_arn.clone()),
            ("TARGET_ARN".to_owned(), target.clone()),
            ("ERROR_CODE".to_owned(), why.code),
            ("ERROR_MESSAGE".to_owned(), why.message),
            ("RETRY_ATTEMPTS".to_owned(), delivery.attempts.to_string()),
        ]);
        if let Some(exhausted) = why.exhausted {
            attributes.insert("EXHAUSTED_RETRY_CONDITION".to_owned(), exhausted.to_owned());
        }
        attributes.retain(|_, value| !value.is_empty());
        let letter = Message {
            target_arn: queue.clone(),
            deduplication_id: self.env.uuid().map_err(Fault::internal)?.to_string(),
            body: passing::letter(&delivery),
            attributes,
            trace: None,
            group_id: delivery.message.group_id.clone(),
        };
        match self.around.targets.deliver(delivery.source(), &letter).await {
            Ok(()) => Ok(()),
            // The whole delivery is tried once more later.
            Err(Refusal::Temporary(fault)) => Err(fault),
            // A dead letter that is refused too is gone, as with AWS.
            Err(refusal @ Refusal::Permanent { .. }) => {
                tracing::error!(queue, ?refusal, "a dead letter is lost");
                Ok(())
            }
            Err(later) => Err(Fault::internal(later.message())),
        }
    }
}

/// Seconds until the next try: twice as long each time, up to ten minutes.
fn wait_seconds(attempts: i32) -> i64 {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(10);
    (1_i64 << doublings).min(600)
}
