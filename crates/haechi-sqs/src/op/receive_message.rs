//! `ReceiveMessage`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ReceiveMessage;
use haechi_sqs_model::shapes::{
    Message, MessageAttributeValue, ReceiveMessageRequest, ReceiveMessageResult,
};
use haechi_wire::Blob;
use tokio::time::Instant;

use crate::error::invalid;
use crate::message::sequence_number;
use crate::queue::Queue;
use crate::store::{Attribute, MessageRecord};
use crate::{Sqs, digest, receipt};

/// How long a waiting caller sleeps at the most: a message whose time comes wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Handle<ReceiveMessage> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: ReceiveMessageRequest,
    ) -> Result<ReceiveMessageResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let between = |min, max| format!("Must be between {min} and {max}, if provided.");
        let max = input.max_number_of_messages;
        let max = within("MaxNumberOfMessages", max, 1..=10, &between(1, 10))?.unwrap_or(1);
        let visibility = input.visibility_timeout;
        let told = between(0, 43_200);
        let visibility = within("VisibilityTimeout", visibility, 0..=43_200, &told)?;
        let visibility_ms =
            visibility.map_or(queue.attributes().visibility_ms(), |seconds| seconds * 1000);
        let told = "Must be >= 0 and <= 20, if provided.";
        let wait = within("WaitTimeSeconds", input.wait_time_seconds, 0..=20, told)?;
        let wait = wait.unwrap_or(queue.attributes().wait_seconds());
        let until = Instant::now() + Duration::from_secs(u64::try_from(wait).unwrap_or(0));
        let max = usize::try_from(max).unwrap_or(1);
        let messages = loop {
            // Listening begins before looking, so that nothing slips in between.
            let sent = self.sent.notified();
            let messages = self.take(cx, &queue, max, visibility_ms).await?;
            let left = until.saturating_duration_since(Instant::now());
            if !messages.is_empty() || left.is_zero() || self.is_ending() {
                break messages;
            }
            // Whether it was woken or slept enough, it looks again.
            let _ = tokio::time::timeout(left.min(LOOK_AGAIN), sent).await;
        };
        let wanted = Wanted::new(&input);
        let mut shown = Vec::with_capacity(messages.len());
        for (mut message, key) in messages {
            self.load_content(&queue.place, &mut message).await?;
            if let Some(key) = key {
                message.body = key.open(&message.body)?;
            }
            shown.push(wanted.show(&queue, message));
        }
        Ok(ReceiveMessageResult { messages: Some(shown).filter(|all| !all.is_empty()) })
    }
}

/// A number that may be left out; `told` is what AWS says of others (recorded).
fn within(
    name: &str,
    value: Option<i32>,
    range: RangeInclusive<i64>,
    told: &str,
) -> Result<Option<i64>, Error> {
    let Some(value) = value.map(i64::from) else { return Ok(None) };
    if range.contains(&value) {
        Ok(Some(value))
    } else {
        Err(invalid(name, &value.to_string(), told))
    }
}

/// Which attributes the caller wants to see.
struct Wanted<'a> {
    system: Vec<&'a str>,
    attributes: &'a [String],
}

impl<'a> Wanted<'a> {
    fn new(input: &'a ReceiveMessageRequest) -> Wanted<'a> {
        let older = input.attribute_names.iter().flatten().map(|name| name.as_str());
        let newer = input.message_system_attribute_names.iter().flatten();
        let newer = newer.map(|name| name.as_str());
        let attributes = input.message_attribute_names.as_deref().unwrap_or_default();
        Wanted { system: older.chain(newer).collect(), attributes }
    }

    fn has_system(&self, name: &str) -> bool {
        self.system.iter().any(|wanted| *wanted == name || *wanted == "All")
    }

    /// `All`, `*`, `.*`, `prefix.*` or the very name. The dot of a prefix stands for nothing:
    /// `Hel.*` wants `Hello` too (recorded).
    fn has_attribute(&self, name: &str) -> bool {
        self.attributes.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == name || ["All", "*"].contains(&wanted.as_str()),
        })
    }

    fn show(&self, queue: &Queue, message: MessageRecord) -> Message {
        let receipt_handle = receipt::handle(queue, &message);
        let system = self.system(queue, &message);
        let attributes: BTreeMap<String, Attribute> =
            message.attributes.into_iter().filter(|(name, _)| self.has_attribute(name)).collect();
        let md5_of_message_attributes = digest::of_attributes(attributes.iter());
        let shown = attributes.into_iter().map(|(name, value)| (name, shown(value)));
        let message_attributes: BTreeMap<_, _> = shown.collect();
        Message {
            message_id: Some(message.id),
            receipt_handle: Some(receipt_handle),
            md5_of_body: Some(digest::of_body(&message.body)),
            body: Some(message.body),
            attributes: Some(system).filter(|all| !all.is_empty()),
            md5_of_message_attributes,
            message_attributes: Some(message_attributes).filter(|all| !all.is_empty()),
        }
    }

    fn system(&self, queue: &Queue, message: &MessageRecord) -> BTreeMap<String, String> {
        let sequence = queue.is_fifo().then(|| sequence_number(message.sequence));
        let all = [
            ("SenderId", Some(message.sender_id.clone())),
            ("SentTimestamp", Some(message.sent_ms.to_string())),
            ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
            (
                "ApproximateFirstReceiveTimestamp",
                message.first_received_ms.map(|at| at.to_string()),
            ),
            ("SequenceNumber", sequence),
            ("MessageGroupId", message.group_id.clone()),
            ("MessageDeduplicationId", message.deduplication_id.clone()),
            ("AWSTraceHeader", message.trace_header.clone()),
            ("DeadLetterQueueSourceArn", message.source_arn.clone()),
        ];
        let present = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        present
            .filter(|(name, _)| self.has_system(name))
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

fn shown(attribute: Attribute) -> MessageAttributeValue {
    MessageAttributeValue {
        string_value: attribute.text,
        binary_value: attribute.binary.map(Blob),
        string_list_values: None,
        binary_list_values: None,
        data_type: attribute.data_type,
    }
}
