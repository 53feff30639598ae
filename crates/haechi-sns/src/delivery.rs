//! Jobs: endpoints get messages.
//!
//! ```text
//! standard topic  Publish ─► (fan-out, where there are many) ─► a delivery per subscription ─► endpoint
//! FIFO topic      Publish ─► waiting rows ─► drain, one at a time for each topic ─► endpoints in order
//! ```
//! A delivery stands for itself, with its own tries.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler, Jobs, Source};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::arn::{self, TopicArn};
use crate::confirmation::{EXPIRY, Expiring};
use crate::delivery_policy::{Effective, MAIL, MANAGED, RetryPolicy};
use crate::envelope::{self, Envelope};
use crate::message::{Kind, Published};
use crate::publish::{DRAIN, Draining, FAN_OUT, FanningOut};
use crate::store::{State, SubscriptionRecord, TopicRecord};
use crate::subscription_attributes::dead_letter_arn;
use crate::sweep::{SWEEP, Sweeping};
use crate::{QueueMessage, Refusal, Sns};

/// What carries messages; each has jobs of its own kind, so that slow ones hold up none but
/// themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Queues and functions.
    Service,
    Http,
    Mail,
}

impl Carrier {
    pub(crate) fn of(protocol: &str) -> Carrier {
        match protocol {
            "http" | "https" => Carrier::Http,
            "email" | "email-json" => Carrier::Mail,
            _ => Carrier::Service,
        }
    }

    fn job_kind(self) -> &'static str {
        match self {
            Carrier::Service => "sns-service",
            Carrier::Http => "sns-http",
            Carrier::Mail => "sns-mail",
        }
    }

    /// Deliveries that are under way at a time.
    fn at_a_time(self) -> usize {
        match self {
            Carrier::Service => 32,
            Carrier::Http => 64,
            Carrier::Mail => 4,
        }
    }
}

/// Names who runs the jobs of this service.
pub(crate) fn register(sns: &Arc<Sns>, jobs: &Jobs) {
    for carrier in [Carrier::Service, Carrier::Http, Carrier::Mail] {
        let handler = Delivering { sns: Arc::downgrade(sns), carrier };
        jobs.handle(carrier.job_kind(), Arc::new(handler));
    }
    jobs.handle(FAN_OUT, Arc::new(FanningOut { sns: Arc::downgrade(sns) }));
    jobs.handle(DRAIN, Arc::new(Draining { sns: Arc::downgrade(sns) }));
    jobs.handle(EXPIRY, Arc::new(Ending { sns: Arc::downgrade(sns) }));
    jobs.handle(SWEEP, Arc::new(Sweeping { sns: Arc::downgrade(sns) }));
}

/// The service, which holds the jobs that hold this.
pub(crate) fn alive(sns: &Weak<Sns>) -> Result<Arc<Sns>, Fault> {
    sns.upgrade().ok_or_else(|| Fault::internal("the service of notifications has ended"))
}

/// A message on its way to a subscription.
#[derive(Serialize, Deserialize)]
pub(crate) struct Delivery {
    topic_arn: String,
    topic_id: String,
    subscription: String,
    carrier: String,
    message: Published,
    /// Tries that failed.
    attempts: u32,
}

impl Delivery {
    pub(crate) fn new(
        topic: &TopicArn,
        topic_id: &str,
        subscription: &SubscriptionRecord,
        message: Published,
    ) -> Delivery {
        Delivery {
            topic_arn: topic.arn.clone(),
            topic_id: topic_id.to_owned(),
            subscription: subscription.id.clone(),
            carrier: Carrier::of(&subscription.protocol).job_kind().to_owned(),
            message,
            attempts: 0,
        }
    }

    /// The job that makes the first try.
    pub(crate) fn first_job(&self, now: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::at_once(&self.carrier, &self.job_id(), now, payload))
    }

    /// The job that makes the next try.
    fn job(&self, due: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::new(&self.carrier, &self.job_id(), due, payload))
    }

    fn job_id(&self) -> String {
        format!("{}+{}", self.message.id, self.subscription)
    }
}

struct Delivering {
    sns: Weak<Sns>,
    carrier: Carrier,
}

#[async_trait]
impl JobHandler for Delivering {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let sns = alive(&self.sns)?;
        let mut delivery: Delivery = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let mut batch = Batch::new();
        let Some((topic, subscription)) = sns.recipient(&delivery).await? else {
            return Ok(batch);
        };
        let opened = sns.opened(&delivery.topic_arn, &delivery.message).await;
        let outcome = match &opened {
            Ok(message) => sns.hand_over(&topic, &subscription, message).await,
            Err(error) => Err(Refusal::Temporary(Fault::internal(error.to_string()))),
        };
        let error = match outcome {
            Ok(()) => return Ok(batch),
            Err(Refusal::Permanent(error)) => error,
            Err(Refusal::Temporary(fault)) => {
                delivery.attempts = delivery.attempts.saturating_add(1);
                let policy = retry_policy(&topic, &subscription)?;
                if let Some(seconds) = policy.delay_seconds(delivery.attempts) {
                    // Later than this job in any case: it goes when the batch is committed.
                    let due = now.plus_seconds(seconds).millis().max(job.due_ms + 1);
                    batch.schedule(&delivery.job(Timestamp::from_millis(due))?);
                    return Ok(batch);
                }
                fault.to_string()
            }
        };
        match opened {
            Ok(message) => sns.give_up(&topic, &subscription, &message, error).await,
            // Not even a dead letter can be made of it.
            Err(error) => {
                let arn = subscription.arn();
                tracing::error!(subscription = arn, %error, "a message cannot be opened, and is lost");
            }
        }
        Ok(batch)
    }

    fn at_a_time(&self) -> usize {
        self.carrier.at_a_time()
    }
}

fn retry_policy(
    topic: &TopicRecord,
    subscription: &SubscriptionRecord,
) -> Result<RetryPolicy, Fault> {
    match Carrier::of(&subscription.protocol) {
        Carrier::Service => Ok(MANAGED),
        Carrier::Mail => Ok(MAIL),
        Carrier::Http => Ok(effective(topic, subscription)?.retry),
    }
}

/// What the delivery policies of topic and subscription make together.
fn effective(topic: &TopicRecord, subscription: &SubscriptionRecord) -> Result<Effective, Fault> {
    let text = |set: Option<&String>| set.map(String::as_str).map(str::to_owned);
    let of_topic = text(topic.attributes.get("DeliveryPolicy"));
    let own = text(subscription.attributes.get("DeliveryPolicy"));
    let both = Effective::of_topic(of_topic.as_deref())
        .and_then(|effective| effective.with_subscription(own.as_deref()));
    both.map_err(|_| Fault::internal("a delivery policy cannot be read"))
}

impl Sns {
    /// Topic and subscription of a delivery; none if either is gone, or wants it no more.
    async fn recipient(
        &self,
        delivery: &Delivery,
    ) -> Result<Option<(TopicRecord, SubscriptionRecord)>, Fault> {
        let (place, _) = arn::own(&delivery.topic_arn)?;
        let name = delivery.topic_arn.rsplit(':').next().unwrap_or_default();
        let topic = self.database.load::<TopicRecord>(&place.topic(name)).await?;
        let topic = topic.map(|topic| topic.value).filter(|topic| topic.id == delivery.topic_id);
        let Some(topic) = topic else { return Ok(None) };
        let path = place.subscription(&topic.id, &delivery.subscription);
        let found = self.database.load::<SubscriptionRecord>(&path).await?;
        let wanted = match delivery.message.kind {
            Kind::Notification => State::Confirmed,
            Kind::SubscriptionConfirmation => State::Pending,
            Kind::UnsubscribeConfirmation => State::Ended,
        };
        let found = found.map(|found| found.value).filter(|found| found.state == wanted);
        Ok(found.map(|subscription| (topic, subscription)))
    }

    /// Hands a message to the endpoint of a subscription.
    pub(crate) async fn hand_over(
        &self,
        topic: &TopicRecord,
        subscription: &SubscriptionRecord,
        message: &Published,
    ) -> Result<(), Refusal> {
        let envelope = self.envelope(topic, subscription, message).await;
        let envelope = envelope.map_err(Refusal::Temporary)?;
        let source = source(subscription).map_err(Refusal::Temporary)?;
        let endpoint = subscription.endpoint.as_str();
        match subscription.protocol.as_str() {
            "sqs" => {
                let message = queue_message(&envelope, subscription, endpoint);
                self.endpoints.queue(source, message).await
            }
            "lambda" => self.endpoints.function(source, endpoint, envelope.event()).await,
            "http" | "https" => {
                let policy = effective(topic, subscription).map_err(Refusal::Temporary)?;
                let raw = is_raw(subscription, message);
                self.endpoints.http(envelope.http(endpoint, &policy.content_type, raw)).await
            }
            protocol @ ("email" | "email-json") => {
                let name = topic.attributes.get("DisplayName").map(String::as_str);
                self.endpoints.mail(envelope.mail(endpoint, name, protocol == "email-json")).await
            }
            other => Err(Refusal::Permanent(format!("no deliveries by {other}"))),
        }
    }

    async fn envelope<'a>(
        &self,
        topic: &TopicRecord,
        subscription: &'a SubscriptionRecord,
        message: &'a Published,
    ) -> Result<Envelope<'a>, Fault> {
        let body = message.body(&subscription.protocol);
        let is_signed = message.sequence.is_none() && !is_raw(subscription, message);
        let signature = if is_signed {
            let text = envelope::to_sign(message, &subscription.topic_arn, body);
            let sha256 = topic.attributes.get("SignatureVersion").is_some_and(|set| set == "2");
            Some(self.sign(text, sha256).await?)
        } else {
            None
        };
        let (topic_arn, subscription_arn) = (&*subscription.topic_arn, subscription.arn());
        Ok(Envelope { message, topic_arn, subscription_arn, signature, body })
    }

    /// What becomes of a message that an endpoint did not take: a dead letter, where the
    /// subscription has a queue for them.
    pub(crate) async fn give_up(
        &self,
        topic: &TopicRecord,
        subscription: &SubscriptionRecord,
        message: &Published,
        error: String,
    ) {
        let arn = subscription.arn();
        tracing::warn!(subscription = arn, error, "a message was not delivered");
        let redrive = subscription.attributes.get("RedrivePolicy");
        let Some(queue) = redrive.and_then(|policy| dead_letter_arn(policy)) else { return };
        if message.kind != Kind::Notification {
            return;
        }
        let letter = async {
            let envelope = self.envelope(topic, subscription, message).await;
            let envelope = envelope.map_err(Refusal::Temporary)?;
            let source = source(subscription).map_err(Refusal::Temporary)?;
            let letter = queue_message(&envelope, subscription, &queue);
            self.endpoints.queue(source, letter).await
        };
        // A dead letter that is refused too is gone, as with AWS.
        if let Err(refusal) = letter.await {
            tracing::error!(queue, ?refusal, "a dead letter is lost");
        }
    }
}

/// Whether a message goes to a subscription as it is.
fn is_raw(subscription: &SubscriptionRecord, message: &Published) -> bool {
    subscription.is_raw() && message.kind == Kind::Notification
}

/// The topic on whose behalf endpoints are called.
fn source(subscription: &SubscriptionRecord) -> Result<Source, Fault> {
    let (_, account) = arn::own(&subscription.topic_arn)?;
    Ok(Source { arn: subscription.topic_arn.clone(), account })
}

fn queue_message(
    envelope: &Envelope<'_>,
    subscription: &SubscriptionRecord,
    queue_arn: &str,
) -> QueueMessage {
    let message = envelope.message;
    let raw = is_raw(subscription, message);
    let body = if raw { envelope.body.to_owned() } else { envelope.json() };
    let attributes = if raw { message.attributes.clone() } else { Default::default() };
    QueueMessage {
        queue_arn: queue_arn.to_owned(),
        body,
        attributes,
        group_id: message.group_id.clone(),
        deduplication_id: message.deduplication_id.clone().unwrap_or_else(|| message.id.clone()),
        trace: message.trace.clone(),
    }
}

/// Ends a subscription that nobody confirmed in time.
struct Ending {
    sns: Weak<Sns>,
}

#[async_trait]
impl JobHandler for Ending {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let sns = alive(&self.sns)?;
        let expiring: Expiring = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let (place, _) = arn::own(&expiring.topic_arn)?;
        let path = place.subscription(&expiring.topic_id, &expiring.subscription);
        let mut batch = Batch::new();
        let Some(found) = sns.database.load::<SubscriptionRecord>(&path).await? else {
            return Ok(batch);
        };
        let is_over = |token: &crate::store::Token| token.until_ms <= now.millis();
        let is_over = found.value.token.as_ref().is_none_or(is_over);
        if found.value.state != State::Confirmed && is_over {
            sns.forget(&place, &expiring.topic_id, &found, &mut batch).await?;
        }
        Ok(batch)
    }
}
