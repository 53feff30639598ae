//! Messages that other services put into queues for themselves: EventBridge, SNS.

use std::collections::BTreeMap;

use haechi_core::{Batch, Cx, Env, Operation as _, Region, Source};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::SendMessage;
use haechi_sqs_model::shapes::{MessageAttributeValue, MessageSystemAttributeValue};
use haechi_wire::Fault;

use crate::message::Draft;
use crate::{Sqs, error, queue};

/// What a service puts into a queue.
pub struct Delivery {
    /// The queue's ARN.
    pub queue_arn: String,
    /// The message.
    pub body: String,
    /// The message group.
    pub group_id: Option<String>,
    /// Of a FIFO queue: what tells a message that is delivered twice from two.
    pub deduplication_id: String,
    /// Attributes of the message.
    pub attributes: BTreeMap<String, MessageAttributeValue>,
    /// Where it stands in a trace of X-Ray.
    pub trace: Option<String>,
}

fn traced(header: String) -> BTreeMap<String, MessageSystemAttributeValue> {
    let value = MessageSystemAttributeValue {
        string_value: Some(header),
        data_type: "String".to_owned(),
        ..Default::default()
    };
    BTreeMap::from([("AWSTraceHeader".to_owned(), value)])
}

impl Sqs {
    /// Whether the caller may do what `cx` is about with a queue; answers how many seconds its
    /// messages are hidden once they were received. Lambda asks before it reads.
    ///
    /// # Errors
    /// As that operation, if he may not or there is no such queue.
    pub async fn visibility_seconds(&self, cx: &Cx, queue_url: &str) -> Result<i64, Error> {
        let (queue, _) = self.queue(cx, queue_url).await?;
        Ok(queue.attributes().visibility_ms() / 1000)
    }

    /// Puts a message into a queue on behalf of `source`, if the queue's policy lets `service`, and
    /// that of the queue's KMS key where it has one.
    ///
    /// # Errors
    /// As `SendMessage`.
    pub async fn deliver(
        &self,
        env: &Env,
        service: &str,
        source: Source,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let region = delivery.queue_arn.split(':').nth(3).and_then(Region::parse);
        let region = region.ok_or_else(error::no_queue)?;
        // Services answer to nobody for conflicts: like the router, begin again.
        loop {
            let cx =
                Cx::by_service(env, region.clone(), service, source.clone(), SendMessage::SCHEMA)
                    .await?;
            // A queue has one ARN: by another, conditions on it would see another queue.
            let (account, name) =
                queue::parse_arn(&cx, &delivery.queue_arn).ok_or_else(error::no_queue)?;
            let (queue, _) = self.queue_named(&cx, &account, &name).await?;
            let is_fifo = queue.is_fifo();
            let draft = Draft {
                body: delivery.body.clone(),
                group_id: delivery.group_id.clone(),
                deduplication_id: is_fifo.then(|| delivery.deduplication_id.clone()),
                delay_seconds: None,
                attributes: Some(delivery.attributes.clone()),
                system_attributes: delivery.trace.clone().filter(|it| !it.is_empty()).map(traced),
                in_batch: false,
            };
            let mut batch = Batch::new();
            batch.unchanged(&queue.loaded);
            let sent = self.send(&cx, &queue, draft, &mut batch).await;
            // What KMS was asked on the way, and no request tells of.
            self.envelope.keys().record(&cx).await?;
            sent?;
            match self.database.commit(batch).await {
                Ok(()) => break,
                Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        self.sent.notify_waiters();
        Ok(())
    }
}
