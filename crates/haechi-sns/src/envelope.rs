//! What an endpoint gets (pure): the JSON around a message, what of it is signed, mails.
//!
//! Source: Developer Guide, "Parsing Amazon SNS message formats", "Verifying the signatures of
//! Amazon SNS messages"; recordings.

use std::fmt::Write as _;

use haechi_wire::Timestamp;
use serde_json::{Map, Value, json};

use crate::message::{Kind, Published};
use crate::signing::Signature;
use crate::{HttpMessage, Mail};

/// A message to a subscription.
pub(crate) struct Envelope<'a> {
    pub(crate) message: &'a Published,
    pub(crate) topic_arn: &'a str,
    pub(crate) subscription_arn: String,
    /// None of a FIFO topic's.
    pub(crate) signature: Option<Signature>,
    pub(crate) body: &'a str,
}

fn timestamp(message: &Published) -> String {
    Timestamp::from_millis(message.published_ms).format("%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// A sequence number as it is shown: 20 digits.
pub(crate) fn sequence_number(sequence: u64) -> String {
    format!("{sequence:020}")
}

/// Where the endpoint confirms.
pub(crate) fn subscribe_url(message: &Published, topic_arn: &str) -> Option<String> {
    let token = message.token.as_deref()?;
    Some(format!("{}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}", message.url))
}

/// The text that is signed: some of the members, by name, each name and value on a line.
pub(crate) fn to_sign(message: &Published, topic_arn: &str, body: &str) -> String {
    let (time, subscribe_url) = (timestamp(message), subscribe_url(message, topic_arn));
    let pairs = [
        ("Message", Some(body)),
        ("MessageId", Some(&*message.id)),
        ("Subject", message.subject.as_deref()),
        ("SubscribeURL", subscribe_url.as_deref()),
        ("Timestamp", Some(&*time)),
        ("Token", message.token.as_deref()),
        ("TopicArn", Some(topic_arn)),
        ("Type", Some(message.kind.name())),
    ];
    let there = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    there.fold(String::new(), |mut text, (name, value)| {
        // Writing to a string does not fail.
        let _ = write!(text, "{name}\n{value}\n");
        text
    })
}

impl Envelope<'_> {
    fn unsubscribe_url(&self) -> String {
        let (url, arn) = (&self.message.url, &self.subscription_arn);
        format!("{url}/?Action=Unsubscribe&SubscriptionArn={arn}")
    }

    /// Name and value of each member, in AWS's order.
    fn members(&self) -> Vec<(&'static str, String)> {
        let message = self.message;
        let mut members = vec![("Type", message.kind.name().to_owned())];
        members.push(("MessageId", message.id.clone()));
        members.extend(message.token.clone().map(|token| ("Token", token)));
        members.extend(message.sequence.map(|number| ("SequenceNumber", sequence_number(number))));
        members.push(("TopicArn", self.topic_arn.to_owned()));
        members.extend(message.subject.clone().map(|subject| ("Subject", subject)));
        members.push(("Message", self.body.to_owned()));
        members.extend(subscribe_url(message, self.topic_arn).map(|url| ("SubscribeURL", url)));
        members.push(("Timestamp", timestamp(message)));
        if let Some(signature) = &self.signature {
            members.push(("SignatureVersion", signature.version.to_owned()));
            members.push(("Signature", signature.text.clone()));
            let url = format!("{}{}", message.url, signature.certificate_path);
            members.push(("SigningCertURL", url));
        }
        if message.kind == Kind::Notification {
            members.push(("UnsubscribeURL", self.unsubscribe_url()));
        }
        members
    }

    fn attributes(&self) -> Map<String, Value> {
        let attributes = self.message.attributes.iter();
        let shown = attributes.map(|(name, attribute)| {
            let shown = json!({"Type": attribute.data_type, "Value": attribute.value});
            (name.clone(), shown)
        });
        shown.collect()
    }

    /// As queues, HTTP endpoints and `email-json` get it, laid out as AWS does.
    pub(crate) fn json(&self) -> String {
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let members = self.members();
        let mut lines: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("  \"{name}\" : {}", quoted(value)))
            .collect();
        let attributes = self.attributes();
        if !attributes.is_empty() {
            let inner: Vec<String> = attributes
                .iter()
                .map(|(name, value)| format!("    {} : {value}", quoted(name)))
                .collect();
            lines.push(format!("  \"MessageAttributes\" : {{\n{}\n  }}", inner.join(",\n")));
        }
        format!("{{\n{}\n}}", lines.join(",\n"))
    }

    /// The event that a function gets.
    pub(crate) fn event(&self) -> String {
        let renamed = |(name, value): (&'static str, String)| {
            let name = match name {
                "SigningCertURL" => "SigningCertUrl",
                "UnsubscribeURL" => "UnsubscribeUrl",
                other => other,
            };
            (name.to_owned(), Value::String(value))
        };
        let mut sns: Map<String, Value> = self.members().into_iter().map(renamed).collect();
        sns.entry("Subject").or_insert(Value::Null);
        sns.insert("MessageAttributes".to_owned(), Value::Object(self.attributes()));
        json!({"Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": self.subscription_arn.as_str(),
            "Sns": sns,
        }]})
        .to_string()
    }

    /// The request that an HTTP endpoint gets.
    pub(crate) fn http(&self, url: &str, content_type: &str, raw: bool) -> HttpMessage {
        let message = self.message;
        let mut headers = vec![
            ("x-amz-sns-message-type", message.kind.name().to_owned()),
            ("x-amz-sns-message-id", message.id.clone()),
            ("x-amz-sns-topic-arn", self.topic_arn.to_owned()),
        ];
        if message.kind != Kind::SubscriptionConfirmation {
            headers.push(("x-amz-sns-subscription-arn", self.subscription_arn.clone()));
        }
        if raw {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
        }
        headers.push(("content-type", content_type.to_owned()));
        headers.push(("user-agent", "Amazon Simple Notification Service Agent".to_owned()));
        headers.push(("accept-encoding", "gzip,deflate".to_owned()));
        let body = if raw { self.body.to_owned() } else { self.json() };
        HttpMessage { url: url.to_owned(), headers, body }
    }

    /// The mail that a mailbox gets.
    pub(crate) fn mail(&self, to: &str, display_name: Option<&str>, as_json: bool) -> Mail {
        let message = self.message;
        let is_notification = message.kind == Kind::Notification;
        let unsubscribe_url = is_notification.then(|| self.unsubscribe_url());
        let subject = match (&message.subject, is_notification) {
            (Some(subject), _) => subject.clone(),
            (None, true) => "AWS Notification Message".to_owned(),
            (None, false) => format!("AWS Notification - {}", message.kind.name()),
        };
        let text = match (as_json, &unsubscribe_url) {
            (true, _) => self.json(),
            (false, Some(url)) => format!(
                "{}\n\n-- \nTo stop getting messages of this topic, follow this link:\n{url}\n",
                self.body
            ),
            (false, None) => {
                let url = subscribe_url(message, self.topic_arn).unwrap_or_default();
                format!("{}\n\nSubscribeURL: {url}\n", self.body)
            }
        };
        let from_name = display_name.filter(|name| !name.is_empty()).map(str::to_owned);
        Mail { to: to.to_owned(), from_name, subject, text, unsubscribe_url }
    }
}
