//! What becomes of a message that is published, in one transaction.

use std::sync::Weak;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Job, JobHandler};
use haechi_sns_model::Error;
use haechi_sse::DataKey;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::arn::{self, TopicArn};
use crate::delivery::{Delivery, alive};
use crate::message::{Draft, Published};
use crate::store::{DeduplicationRecord, Place, SequenceRecord, TopicRecord, WaitingRecord};
use crate::subscribers::Subscriber;
use crate::topic::TopicState;
use crate::{Refusal, Sns};

/// The kind of the jobs that make deliveries of a message that many want.
pub(crate) const FAN_OUT: &str = "sns-fan-out";

/// The kind of the jobs that empty FIFO topics.
pub(crate) const DRAIN: &str = "sns-drain";

/// How long a deduplication id is taken.
const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

/// Deliveries in one transaction, which takes a hundred writes.
const DELIVERIES_AT_ONCE: usize = 60;

/// Bytes after which a transaction takes no further delivery: a megabyte is its limit, and JSON may
/// double a text.
const BYTES_AT_ONCE: usize = 256 * 1024;

/// Messages of a FIFO topic that are delivered before their rows go.
const MESSAGES_AT_ONCE: u32 = 20;

/// Seconds until an endpoint of a FIFO topic that did not take a message is tried again.
const AGAIN_SECONDS: i64 = 1;

/// What a publisher is told.
pub(crate) struct Receipt {
    pub(crate) message_id: String,
    /// Of a FIFO topic.
    pub(crate) sequence: Option<u64>,
}

/// A message that many want.
#[derive(Serialize, Deserialize)]
struct FanOut {
    topic_arn: String,
    topic_id: String,
    message: Published,
}

impl Sns {
    /// Publishes a message.
    pub(crate) async fn publish(
        &self,
        cx: &Cx,
        arn: &TopicArn,
        topic: &TopicState,
        draft: Draft,
    ) -> Result<Receipt, Error> {
        let message = draft.check(cx, topic, self.url(cx))?;
        let key = self.sending_key(cx, arn, topic).await?;
        if topic.is_fifo() {
            return self.publish_in_order(cx, arn, topic, (message, key.as_ref())).await;
        }
        let subscribers = self.subscribers(&arn.place, &topic.record.id).await?;
        let wanted: Vec<&Subscriber> =
            subscribers.iter().filter(|subscriber| subscriber.wants(&message)).collect();
        let mut batch = Batch::new();
        let bytes = message.bytes().saturating_mul(wanted.len());
        if wanted.len() <= 1 || (wanted.len() <= DELIVERIES_AT_ONCE && bytes <= BYTES_AT_ONCE) {
            for subscriber in &wanted {
                let message = message.for_protocol(&subscriber.subscription.protocol);
                let message = self.sealed(message, key.as_ref())?;
                batch.schedule(&next_job(arn, &topic.record.id, subscriber, message, cx.now())?);
            }
        } else {
            let (topic_arn, topic_id) = (arn.arn.clone(), topic.record.id.clone());
            let sealed = self.sealed(message.clone(), key.as_ref())?;
            let fan_out = FanOut { topic_arn, topic_id, message: sealed };
            let payload = serde_json::to_string(&fan_out).map_err(Fault::internal)?;
            batch.schedule(&Job::at_once(FAN_OUT, &message.id, cx.now(), payload));
        }
        if !wanted.is_empty() {
            self.database.commit(batch).await?;
        }
        Ok(Receipt { message_id: message.id, sequence: None })
    }

    /// As [`Self::publish`], begun again when another write came between: of a batch, the entries
    /// before this one are done already.
    pub(crate) async fn publish_until_decided(
        &self,
        cx: &Cx,
        arn: &TopicArn,
        topic: &TopicState,
        draft: Draft,
    ) -> Result<Receipt, Error> {
        loop {
            match self.publish(cx, arn, topic, draft.clone()).await {
                Err(Error::Fault(Fault::Conflict)) => {}
                decided => return decided,
            }
        }
    }

    /// Puts a message behind those that wait, unless its deduplication id is taken.
    async fn publish_in_order(
        &self,
        cx: &Cx,
        arn: &TopicArn,
        topic: &TopicState,
        (mut message, key): (Published, Option<&DataKey>),
    ) -> Result<Receipt, Error> {
        let (place, id) = (&arn.place, &topic.record.id);
        let mut batch = Batch::new();
        let sequence = self.in_order(place, id, cx.now(), &mut batch).await?;
        message.sequence = Some(sequence);
        let scope = match (&message.group_id, topic.deduplicates_by_group()) {
            (Some(group), true) => group.as_str(),
            _ => "",
        };
        let deduplication_id = message.deduplication_id.as_deref().unwrap_or_default();
        let path = place.deduplication(id, scope, deduplication_id);
        let found = self.database.load::<DeduplicationRecord>(&path).await?;
        let record = DeduplicationRecord {
            until_ms: cx.now().millis().saturating_add(DEDUPLICATION_MS),
            message_id: message.id.clone(),
            sequence,
            unknown: Unknown::new(),
        };
        match found {
            Some(taken) if taken.value.until_ms > cx.now().millis() => {
                let DeduplicationRecord { message_id, sequence, .. } = taken.value;
                return Ok(Receipt { message_id, sequence: Some(sequence) });
            }
            Some(expired) => batch.replace(&expired, &record),
            None => batch.create(path, &record),
        }
        let message_id = message.id.clone();
        let message = self.sealed(message, key)?;
        let waiting = WaitingRecord { message, unknown: Unknown::new() };
        batch.create(place.waiting_message(id, sequence), &waiting);
        batch.schedule(&Job::at_once(DRAIN, id, cx.now(), arn.arn.clone()));
        self.database.commit(batch).await?;
        Ok(Receipt { message_id, sequence: Some(sequence) })
    }
}

impl Sns {
    /// The number that follows those of a FIFO topic's messages, whichever node they were published
    /// to and whatever its clock says: where there are others, the topic keeps its last one.
    async fn in_order(
        &self,
        place: &Place,
        topic: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<u64, Fault> {
        let sequence = self.next_sequence(now);
        if self.database.is_alone() {
            return Ok(sequence);
        }
        let path = place.sequence(topic);
        let Some(row) = self.database.load::<SequenceRecord>(&path).await? else {
            batch.create(path, &SequenceRecord { last: sequence, unknown: Unknown::new() });
            return Ok(sequence);
        };
        let last = sequence.max(row.value.last.saturating_add(1));
        batch.replace(&row, &SequenceRecord { last, ..row.value.clone() });
        Ok(last)
    }
}

fn next_job(
    arn: &TopicArn,
    topic_id: &str,
    subscriber: &Subscriber,
    message: Published,
    now: Timestamp,
) -> Result<Job, Fault> {
    Delivery::new(arn, topic_id, &subscriber.subscription, message).first_job(now)
}

/// Makes deliveries of a message that many want.
pub(crate) struct FanningOut {
    pub(crate) sns: Weak<Sns>,
}

#[async_trait]
impl JobHandler for FanningOut {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let sns = alive(&self.sns)?;
        let fan_out: FanOut = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let (place, account) = arn::own(&fan_out.topic_arn)?;
        let name = fan_out.topic_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let (arn, message) = (fan_out.topic_arn, fan_out.message);
        let key = sns.delivering_key(&arn, &message).await?;
        let message = key.as_ref().map_or(Ok(message.clone()), |key| message.opened(key))?;
        let topic = TopicArn { account, place, name, arn };
        let subscribers = sns.subscribers(&topic.place, &fan_out.topic_id).await?;
        let (mut batch, mut count, mut bytes) = (Batch::new(), 0, 0);
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.wants(&message)) {
            // A crash between two of these begins again with the first: some get it twice.
            if count == DELIVERIES_AT_ONCE || (count > 0 && bytes + message.bytes() > BYTES_AT_ONCE)
            {
                sns.database.commit(std::mem::take(&mut batch)).await?;
                (count, bytes) = (0, 0);
            }
            let one = message.for_protocol(&subscriber.subscription.protocol);
            let one = sns.sealed(one, key.as_ref())?;
            batch.schedule(&next_job(&topic, &fan_out.topic_id, subscriber, one, now)?);
            count += 1;
            bytes += message.bytes();
        }
        Ok(batch)
    }
}

/// Delivers what waits in a FIFO topic, in its order.
///
/// Nothing else delivers of the topic meanwhile: jobs of one kind and id run one at a time. Should
/// two nodes do it all the same, each delivers in the order, and queues know what they have.
pub(crate) struct Draining {
    pub(crate) sns: Weak<Sns>,
}

#[async_trait]
impl JobHandler for Draining {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let sns = alive(&self.sns)?;
        let (place, _) = arn::own(&job.payload)?;
        let name = job.payload.rsplit(':').next().unwrap_or_default();
        let mut batch = Batch::new();
        let topic = sns.database.load::<TopicRecord>(&place.topic(name)).await?;
        let Some(topic) = topic.map(|topic| topic.value).filter(|topic| topic.id == job.id) else {
            return Ok(batch);
        };
        let subscribers = sns.subscribers(&place, &topic.id).await?;
        let prefix = place.waiting(&topic.id);
        let page = sns.database.list::<WaitingRecord>(&prefix, None, MESSAGES_AT_ONCE).await?;
        let mut again = page.next.as_ref().map(|_| 0);
        for row in &page.items {
            let message = match sns.opened(&job.payload, &row.value.message).await {
                Ok(message) => message,
                Err(error) => {
                    tracing::warn!(topic = job.payload, %error, "a FIFO topic waits for its key");
                    again = Some(AGAIN_SECONDS);
                    break;
                }
            };
            if !sns.hand_to_all(&topic, &subscribers, &message).await {
                again = Some(AGAIN_SECONDS);
                break;
            }
            batch.remove(row);
        }
        if let Some(seconds) = again {
            let due = now.plus_seconds(seconds).millis().max(job.due_ms + 1);
            batch.schedule(&Job { due_ms: due, ..job.clone() });
        }
        Ok(batch)
    }
}

impl Sns {
    /// Hands a message of a FIFO topic to every subscription that wants it; answers whether it is
    /// done with.
    async fn hand_to_all(
        &self,
        topic: &TopicRecord,
        subscribers: &[Subscriber],
        message: &Published,
    ) -> bool {
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.wants(message)) {
            let subscription = &subscriber.subscription;
            match self.hand_over(topic, subscription, message).await {
                Ok(()) => {}
                Err(Refusal::Permanent(error)) => {
                    self.give_up(topic, subscription, message, error).await;
                }
                Err(Refusal::Temporary(error)) => {
                    let arn = subscription.arn();
                    tracing::warn!(subscription = arn, ?error, "a FIFO topic waits");
                    return false;
                }
            }
        }
        true
    }
}
