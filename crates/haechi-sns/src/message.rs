//! A message that is published: checks.

use std::collections::BTreeMap;

use haechi_core::{Cx, Env};
use haechi_sns_model::Error;
use haechi_sns_model::shapes::{MessageAttributeValue, PublishBatchRequestEntry, PublishInput};
use haechi_sse::{DataKey, Sealed};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{invalid, invalid_because};
use crate::topic::TopicState;
use crate::{Attribute, attributes};

/// Bytes of a message with its attributes, at most; also of all messages of a batch.
pub(crate) const BYTES_MAX: usize = 262_144;

/// Characters of a subject, at most.
const SUBJECT_MAX: usize = 100;

/// The body of protocols that have none of their own.
const DEFAULT: &str = "default";

/// A message as its publisher gives it.
#[derive(Clone)]
pub(crate) struct Draft {
    message: String,
    subject: Option<String>,
    structure: Option<String>,
    attributes: BTreeMap<String, MessageAttributeValue>,
    deduplication_id: Option<String>,
    group_id: Option<String>,
}

impl From<PublishInput> for Draft {
    fn from(input: PublishInput) -> Draft {
        Draft {
            message: input.message,
            subject: input.subject,
            structure: input.message_structure,
            attributes: input.message_attributes.unwrap_or_default(),
            deduplication_id: input.message_deduplication_id,
            group_id: input.message_group_id,
        }
    }
}

impl From<PublishBatchRequestEntry> for Draft {
    fn from(entry: PublishBatchRequestEntry) -> Draft {
        Draft {
            message: entry.message,
            subject: entry.subject,
            structure: entry.message_structure,
            attributes: entry.message_attributes.unwrap_or_default(),
            deduplication_id: entry.message_deduplication_id,
            group_id: entry.message_group_id,
        }
    }
}

/// A message on its way to endpoints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) subject: Option<String>,
    /// What it says, by protocol. Of a topic under a KMS key all of it is sealed, in one text.
    bodies: BTreeMap<String, String>,
    /// How it was sealed.
    #[serde(default)]
    pub(crate) sealed: Option<Sealed>,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) published_ms: i64,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// Of a FIFO topic.
    pub(crate) sequence: Option<u64>,
    /// Where this server is reached.
    pub(crate) url: String,
    /// Of a message that asks for a confirmation: what confirms.
    pub(crate) token: Option<String>,
    /// Where its publisher's call stands in a trace of X-Ray.
    #[serde(default)]
    pub(crate) trace: Option<String>,
}

/// `Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Notification => "Notification",
            Kind::SubscriptionConfirmation => "SubscriptionConfirmation",
            Kind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

impl Published {
    /// What an endpoint of this protocol is told.
    pub(crate) fn body(&self, protocol: &str) -> &str {
        let body = self.bodies.get(protocol).or_else(|| self.bodies.get(DEFAULT));
        body.map(String::as_str).unwrap_or_default()
    }

    /// The same message for one protocol only.
    pub(crate) fn for_protocol(&self, protocol: &str) -> Published {
        let bodies = BTreeMap::from([(DEFAULT.to_owned(), self.body(protocol).to_owned())]);
        Published { bodies, ..self.clone() }
    }

    /// The same as it is stored.
    pub(crate) fn sealed(self, env: &Env, key: &DataKey) -> Result<Published, Fault> {
        let plain = Zeroizing::new(serde_json::to_string(&self.bodies).map_err(Fault::internal)?);
        let (sealed, text) = key.seal(env, &plain)?;
        let bodies = BTreeMap::from([(DEFAULT.to_owned(), text)]);
        Ok(Published { bodies, sealed: Some(sealed), ..self })
    }

    /// The same as it was published.
    pub(crate) fn opened(&self, key: &DataKey) -> Result<Published, Fault> {
        let plain = Zeroizing::new(key.open(self.body(DEFAULT))?);
        let bodies = serde_json::from_str(&plain).map_err(Fault::internal)?;
        Ok(Published { bodies, sealed: None, ..self.clone() })
    }

    /// Bytes that it takes on its way, nearly.
    pub(crate) fn bytes(&self) -> usize {
        let bodies = self.bodies.values().map(String::len).sum::<usize>();
        let attributes = self.attributes.iter();
        bodies + attributes.map(|(name, it)| name.len() + it.value.len()).sum::<usize>()
    }

    /// A message that asks the endpoint of a subscription whether it agrees.
    pub(crate) fn asking(
        cx: &Cx,
        kind: Kind,
        (body, token, url): (String, String, String),
    ) -> Result<Published, Error> {
        Ok(Published {
            id: id(cx)?,
            kind,
            subject: None,
            bodies: BTreeMap::from([(DEFAULT.to_owned(), body)]),
            sealed: None,
            attributes: BTreeMap::new(),
            published_ms: cx.now().millis(),
            group_id: None,
            deduplication_id: None,
            sequence: None,
            url,
            token: Some(token),
            trace: None,
        })
    }
}

fn id(cx: &Cx) -> Result<String, Fault> {
    Ok(cx.env.uuid().map_err(Fault::internal)?.to_string())
}

impl Draft {
    /// Bytes that count, but for attributes.
    pub(crate) fn bytes(&self) -> usize {
        self.message.len()
    }

    /// The message, if it may be published to the topic.
    pub(crate) fn check(
        self,
        cx: &Cx,
        topic: &TopicState,
        url: String,
    ) -> Result<Published, Error> {
        check_subject(self.subject.as_deref())?;
        if self.message.is_empty() {
            return Err(invalid("Empty message"));
        }
        let attributes = attributes::parse(self.attributes)?;
        if self.message.len() + attributes::size(&attributes) > BYTES_MAX {
            return Err(invalid("Message too long"));
        }
        let (group, given) = (self.group_id.as_deref(), self.deduplication_id);
        let deduplication_id = order(topic, &self.message, group, given)?;
        let bodies = match self.structure.as_deref() {
            None => BTreeMap::from([(DEFAULT.to_owned(), self.message)]),
            Some("json") => structured(&self.message)?,
            Some(_) => return Err(invalid("MessageStructure")),
        };
        Ok(Published {
            id: id(cx)?,
            kind: Kind::Notification,
            subject: self.subject,
            bodies,
            sealed: None,
            attributes,
            published_ms: cx.now().millis(),
            group_id: self.group_id,
            deduplication_id,
            sequence: None,
            url,
            token: None,
            trace: cx.request.trace.clone(),
        })
    }
}

fn check_subject(subject: Option<&str>) -> Result<(), Error> {
    let Some(subject) = subject else { return Ok(()) };
    let control = |character: char| character.is_control();
    let begins = subject.chars().next().is_some_and(|first| !first.is_whitespace());
    if !begins || subject.chars().count() > SUBJECT_MAX || subject.contains(control) {
        return Err(invalid("Subject"));
    }
    Ok(())
}

/// A body for each protocol, of a message with `MessageStructure` `json`.
fn structured(message: &str) -> Result<BTreeMap<String, String>, Error> {
    let refused = |told: &str| invalid(format!("Message Structure - {told}"));
    let value: Value =
        serde_json::from_str(message).map_err(|_| refused("JSON message body failed to parse"))?;
    let fields = match value {
        Value::Object(fields) => fields,
        _ => return Err(refused("JSON message body failed to parse")),
    };
    let texts = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    let bodies: BTreeMap<String, String> = texts.collect();
    if !bodies.contains_key(DEFAULT) {
        return Err(refused("No default entry in JSON message body"));
    }
    Ok(bodies)
}

/// Checks group and deduplication ids; answers the deduplication id to go by.
fn order(
    topic: &TopicState,
    message: &str,
    group_id: Option<&str>,
    deduplication_id: Option<String>,
) -> Result<Option<String>, Error> {
    let told = "can only include alphanumeric and punctuation characters. 1 to 128 in length.";
    for (name, id) in
        [("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id.as_deref())]
    {
        if id.is_some_and(|id| !is_id(id)) {
            return Err(invalid_because(name, format!("{name} {told}")));
        }
    }
    if !topic.is_fifo() {
        // Of a standard topic a group is for the fair queues behind it.
        return match deduplication_id {
            Some(_) => Err(invalid_because(
                "MessageDeduplicationId",
                "The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            )),
            None => Ok(None),
        };
    }
    if group_id.is_none() {
        return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
    }
    match deduplication_id {
        Some(id) => Ok(Some(id)),
        None if topic.has_content_based_deduplication() => {
            Ok(Some(haechi_crypto::notification::sha256_hex(message.as_bytes())))
        }
        None => Err(invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}

/// Whether a text is a telephone number as E.164 writes it.
pub(crate) fn is_phone_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// Letters, digits and punctuation of ASCII.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
