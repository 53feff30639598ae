//! A message that is sent: checks, digests, deduplication.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx};
use haechi_sqs_model::Error;
use haechi_sqs_model::shapes::{
    MessageAttributeValue, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
    SendMessageRequest,
};
use haechi_wire::Fault;

use crate::error::{invalid, missing};
use crate::queue::Queue;
use crate::store::{
    Attribute, DeduplicationRecord, MessageRecord, Place, QueueRecord, SequenceRecord,
};
use crate::{Sqs, content, digest};

/// How long a deduplication id is taken.
pub(crate) const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

/// How far apart the clocks of nodes may be.
const CLOCKS_APART_MS: i64 = 60 * 60 * 1000;

/// Attributes on a message, at most.
const ATTRIBUTES_MAX: usize = 10;

/// A message as its sender gives it.
pub(crate) struct Draft {
    pub(crate) body: String,
    pub(crate) delay_seconds: Option<i32>,
    pub(crate) attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub(crate) system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// Whether it is one of a batch: AWS words some refusals differently there.
    pub(crate) in_batch: bool,
}

impl From<SendMessageRequest> for Draft {
    fn from(input: SendMessageRequest) -> Draft {
        Draft {
            body: input.message_body,
            delay_seconds: input.delay_seconds,
            attributes: input.message_attributes,
            system_attributes: input.message_system_attributes,
            group_id: input.message_group_id,
            deduplication_id: input.message_deduplication_id,
            in_batch: false,
        }
    }
}

impl From<SendMessageBatchRequestEntry> for Draft {
    fn from(input: SendMessageBatchRequestEntry) -> Draft {
        Draft {
            body: input.message_body,
            delay_seconds: input.delay_seconds,
            attributes: input.message_attributes,
            system_attributes: input.message_system_attributes,
            group_id: input.message_group_id,
            deduplication_id: input.message_deduplication_id,
            in_batch: true,
        }
    }
}

/// What the sender is told.
pub(crate) struct Sent {
    pub(crate) message_id: String,
    pub(crate) body_digest: String,
    pub(crate) attributes_digest: Option<String>,
    pub(crate) system_attributes_digest: Option<String>,
    /// Of a FIFO queue.
    pub(crate) sequence_number: Option<String>,
}

/// A sequence number as it is shown: 20 digits.
pub(crate) fn sequence_number(sequence: u64) -> String {
    format!("{sequence:020}")
}

impl Sqs {
    /// Adds a message to a batch of changes, unless its deduplication id is taken.
    pub(crate) async fn send(
        &self,
        cx: &Cx,
        queue: &Queue,
        mut draft: Draft,
        batch: &mut Batch,
    ) -> Result<Sent, Error> {
        let attributes = attributes(draft.attributes.take())?;
        let system = system_attributes(draft.system_attributes.take())?;
        check_body(queue, &draft, &attributes)?;
        let delay_ms = delay_ms(queue, draft.delay_seconds)?;
        let deduplication_id =
            order(queue, &draft.body, draft.group_id.as_deref(), draft.deduplication_id.take())?;
        let now_ms = cx.now().millis();
        let mut sent = Sent {
            message_id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            body_digest: digest::of_body(&draft.body),
            attributes_digest: digest::of_attributes(attributes.iter()),
            system_attributes_digest: digest::of_attributes(system.iter()),
            sequence_number: None,
        };
        let mut sequence = self.next_sequence(cx.now());
        if queue.is_fifo() {
            sequence = self.in_order(&queue.place, queue.record(), sequence, batch).await?;
            sent.sequence_number = Some(sequence_number(sequence));
        }
        if let Some(id) = &deduplication_id {
            let group = draft.group_id.as_deref().unwrap_or_default();
            if let Some(taken) =
                self.claim(queue, (group, id), (&sent, sequence), now_ms, batch).await?
            {
                sent.message_id = taken.message_id;
                sent.sequence_number = Some(sequence_number(taken.sequence));
                return Ok(sent);
            }
        }
        let (sealed, body) = match self.sending_key(cx, queue).await? {
            Some(key) => {
                let (sealed, body) = key.seal(&cx.env, &draft.body)?;
                (Some(sealed), body)
            }
            None => (None, draft.body),
        };
        let trace_header = system.get("AWSTraceHeader").and_then(|value| value.text.clone());
        // Whoever is traced need not say so twice (Developer Guide, "Amazon SQS and AWS X-Ray").
        let trace_header = trace_header.or_else(|| cx.request.trace.clone());
        let mut message = MessageRecord {
            id: sent.message_id.clone(),
            sequence,
            body,
            attributes,
            trace_header,
            sender_id: cx.caller.user_id.clone(),
            sent_ms: now_ms,
            enqueued_ms: None,
            due_ms: self.due_ms(now_ms, delay_ms),
            receive_count: 0,
            first_received_ms: None,
            received_ms: None,
            group_id: draft.group_id,
            deduplication_id,
            source_arn: None,
            pieces: 0,
            sealed,
            unknown: Unknown::new(),
        };
        self.store_content(&queue.place, &mut message).await?;
        batch.create(queue.place.message(queue.record(), message.due_ms, sequence), &message);
        Ok(sent)
    }

    /// When a message is to be had: one without a delay at once, also from nodes whose clocks are
    /// behind this one's.
    fn due_ms(&self, now_ms: i64, delay_ms: i64) -> i64 {
        if delay_ms == 0 && !self.database.is_alone() {
            return now_ms.saturating_sub(CLOCKS_APART_MS).max(0);
        }
        now_ms.saturating_add(delay_ms)
    }

    /// The number that follows those of a FIFO queue's messages, whichever node they were sent to
    /// and whatever its clock says: where there are others, the queue keeps its last one.
    pub(crate) async fn in_order(
        &self,
        place: &Place,
        queue: &QueueRecord,
        sequence: u64,
        batch: &mut Batch,
    ) -> Result<u64, Fault> {
        if self.database.is_alone() {
            return Ok(sequence);
        }
        let path = place.sequence(&queue.id);
        let Some(row) = self.database.load::<SequenceRecord>(&path).await? else {
            batch.create(path, &SequenceRecord { last: sequence, unknown: Unknown::new() });
            return Ok(sequence);
        };
        let last = sequence.max(row.value.last.saturating_add(1));
        batch.replace(&row, &SequenceRecord { last, ..row.value.clone() });
        Ok(last)
    }

    /// Takes a deduplication id of a group; answers who has it, if it is taken.
    async fn claim(
        &self,
        queue: &Queue,
        (group, id): (&str, &str),
        (sent, sequence): (&Sent, u64),
        now_ms: i64,
        batch: &mut Batch,
    ) -> Result<Option<DeduplicationRecord>, Fault> {
        let scope = if queue.deduplicates_by_group(now_ms) { group } else { "" };
        let path = queue.place.deduplication(&queue.record().id, scope, id);
        let found = self.database.load::<DeduplicationRecord>(&path).await?;
        let record = DeduplicationRecord {
            until_ms: now_ms.saturating_add(DEDUPLICATION_MS),
            message_id: sent.message_id.clone(),
            sequence,
            unknown: Unknown::new(),
        };
        match found {
            Some(taken) if taken.value.until_ms > now_ms => return Ok(Some(taken.value)),
            Some(expired) => batch.replace(&expired, &record),
            None => batch.create(path, &record),
        }
        Ok(None)
    }
}

fn attributes(
    given: Option<BTreeMap<String, MessageAttributeValue>>,
) -> Result<BTreeMap<String, Attribute>, Error> {
    let given = given.unwrap_or_default();
    if given.len() > ATTRIBUTES_MAX {
        let told = format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            given.len()
        );
        return Err(Error::InvalidParameterValueException(told));
    }
    given
        .into_iter()
        .map(|(name, value)| attribute(&name, value).map(|value| (name, value)))
        .collect()
}

/// There is one, the trace's header, which is a text (API Reference, `SendMessage`).
fn system_attributes(
    given: Option<BTreeMap<String, MessageSystemAttributeValue>>,
) -> Result<BTreeMap<String, Attribute>, Error> {
    let attribute = |(name, value): (String, MessageSystemAttributeValue)| {
        let text = value.string_value.filter(|text| !text.is_empty());
        if value.data_type != "String" || text.is_none() {
            return Err(Error::InvalidParameterValueException(format!(
                "Message (system) attribute '{name}' must contain a non-empty value of type 'String'."
            )));
        }
        Ok((name, Attribute { data_type: value.data_type, text, binary: None }))
    };
    given.into_iter().flatten().map(attribute).collect()
}

/// Characters of a message attribute's name, at most.
const ATTRIBUTE_NAME_MAX: usize = 256;

fn check_attribute_name(name: &str) -> Result<(), Error> {
    let refused = |told: String| Err(Error::InvalidParameterValueException(told));
    // Letters of Latin scripts too: recorded, where the documentation has those of ASCII alone.
    let plain = |character: &char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '-' | '_' | '.' | '\u{C0}'..='\u{17F}')
    };
    if name.is_empty() || name.len() > ATTRIBUTE_NAME_MAX {
        return refused(format!(
            "Length of message attribute name must be between 1 and {ATTRIBUTE_NAME_MAX} bytes."
        ));
    }
    if let Some(other) = name.chars().find(|character| !plain(character)) {
        return refused(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(other)
        ));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return refused(
            "Message attribute name cannot begin or end with '.', or have successive '.' characters."
                .to_owned(),
        );
    }
    let small = name.to_ascii_lowercase();
    if small.starts_with("aws.") || small.starts_with("amazon.") {
        return refused(format!("The message attribute name '{name}' has a reserved prefix."));
    }
    Ok(())
}

/// Whether a text has only characters that XML has, as bodies and attributes of messages must.
fn is_text(text: &str) -> bool {
    let allowed = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
    text.chars().all(allowed)
}

const INVALID_CHARACTERS: &str = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

fn attribute(name: &str, value: MessageAttributeValue) -> Result<Attribute, Error> {
    let refused = |told: String| Err(Error::InvalidParameterValueException(told));
    check_attribute_name(name)?;
    if value.string_value.as_deref().is_some_and(|text| !is_text(text)) {
        return refused(INVALID_CHARACTERS.to_owned());
    }
    if value.data_type.len() > ATTRIBUTE_NAME_MAX {
        return refused(format!(
            "Length of message attribute type must be less than or equal to {ATTRIBUTE_NAME_MAX} bytes."
        ));
    }
    let kind = value.data_type.split('.').next().unwrap_or_default().to_owned();
    let (text, binary) = (value.string_value, value.binary_value.map(|blob| blob.0));
    let is_empty = match kind.as_str() {
        "String" | "Number" => text.as_ref().is_none_or(String::is_empty),
        "Binary" => binary.as_ref().is_none_or(Vec::is_empty),
        "" => {
            return refused(format!(
                "The message attribute '{name}' must contain non-empty message attribute type."
            ));
        }
        _ => {
            return refused(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
            ));
        }
    };
    if is_empty {
        return refused(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{}'.",
            value.data_type
        ));
    }
    let is_number = || text.as_deref().is_some_and(is_number);
    if kind == "Number" && !is_number() {
        return refused(format!("Can't cast the value of message attribute '{name}' to a number."));
    }
    Ok(Attribute { data_type: value.data_type, text, binary })
}

/// Whether a text is 0, or a number of at most 38 digits between 10^-128 and 10^126 (Developer
/// Guide, "Amazon SQS message attributes").
fn is_number(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_matches('0');
    let is_sized = |size: f64| match digits.len() {
        0 => size == 0.0,
        count => count <= 38 && (1e-128..=1e126).contains(&size.abs()),
    };
    text.parse().is_ok_and(is_sized)
}

fn check_body(
    queue: &Queue,
    draft: &Draft,
    attributes: &BTreeMap<String, Attribute>,
) -> Result<(), Error> {
    let body = draft.body.as_str();
    if body.is_empty() {
        return Err(missing("MessageBody"));
    }
    if !is_text(body) {
        return Err(Error::InvalidMessageContents(INVALID_CHARACTERS.to_owned()));
    }
    let size = content::size(body, attributes);
    let max = queue.attributes().message_max();
    if i64::try_from(size).unwrap_or(i64::MAX) > max {
        let refused = if draft.in_batch { "cannot be validated" } else { "are invalid" };
        return Err(Error::InvalidParameterValueException(format!(
            "One or more parameters {refused}. Reason: Message must be shorter than {max} bytes."
        )));
    }
    Ok(())
}

fn delay_ms(queue: &Queue, wanted: Option<i32>) -> Result<i64, Error> {
    let Some(seconds) = wanted else { return Ok(queue.attributes().delay_ms()) };
    let text = seconds.to_string();
    if !(0..=900).contains(&seconds) {
        return Err(invalid("DelaySeconds", &text, "DelaySeconds must be >= 0 and <= 900."));
    }
    if queue.is_fifo() && seconds != 0 {
        let told = "The request include parameter that is not valid for this queue type.";
        return Err(invalid("DelaySeconds", &text, told));
    }
    Ok(if queue.is_fifo() { queue.attributes().delay_ms() } else { i64::from(seconds) * 1000 })
}

/// Checks group and deduplication ids; answers the deduplication id to go by.
fn order(
    queue: &Queue,
    body: &str,
    group_id: Option<&str>,
    deduplication_id: Option<String>,
) -> Result<Option<String>, Error> {
    if let Some(id) = &deduplication_id
        && !is_id(id)
    {
        let told = "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
        return Err(invalid("MessageDeduplicationId", id, told));
    }
    if let Some(id) = group_id
        && !is_id(id)
    {
        let told = "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
        return Err(invalid("MessageGroupId", id, told));
    }
    if !queue.is_fifo() {
        return match deduplication_id {
            Some(id) => Err(invalid(
                "MessageDeduplicationId",
                &id,
                "The request include parameter that is not valid for this queue type.",
            )),
            None => Ok(None),
        };
    }
    if group_id.is_none() {
        return Err(missing("MessageGroupId"));
    }
    match deduplication_id {
        Some(id) => Ok(Some(id)),
        None if queue.attributes().has_content_based_deduplication() => {
            Ok(Some(haechi_crypto::notification::sha256_hex(body.as_bytes())))
        }
        None => Err(no_deduplication_id()),
    }
}

pub(crate) fn no_deduplication_id() -> Error {
    Error::InvalidParameterValueException(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
            .to_owned(),
    )
}

/// Letters, digits and punctuation of ASCII.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
