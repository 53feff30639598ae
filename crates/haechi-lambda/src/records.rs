//! Messages of queues as functions get them, and what functions answer. Pure.
//!
//! Source: Developer Guide, "Using Lambda with Amazon SQS", "Lambda event filtering"; recordings.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use haechi_rules::Pattern;
use serde_json::{Map, Value, json};

/// A queue, as a role reads it: SQS, wired by the binary.
#[async_trait]
pub trait EventQueue: Send + Sync + 'static {
    /// Whether the role may read the queue; answers its visibility timeout, in seconds.
    ///
    /// # Errors
    /// What SQS says, if it may not or there is none.
    async fn check(&self) -> Result<i64, QueueRefusal>;

    /// Takes messages, and waits for them so long.
    ///
    /// # Errors
    /// What SQS says.
    async fn receive(&self, max: i32, seconds: i32) -> Result<Vec<QueueMessage>, QueueRefusal>;

    /// Deletes messages, by their receipts.
    ///
    /// # Errors
    /// What SQS says.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueRefusal>;
}

/// A refusal of SQS.
#[derive(Debug, Clone)]
pub struct QueueRefusal {
    /// What was asked of SQS.
    pub operation: &'static str,
    /// The error's code, as SQS's query protocol has it.
    pub code: String,
    /// Its message.
    pub message: String,
}

/// A message.
#[derive(Debug, Clone)]
pub struct QueueMessage {
    /// Its id.
    pub id: String,
    /// What deletes it.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// The digest of that.
    pub body_md5: String,
    /// What SQS knows of it.
    pub system: BTreeMap<String, String>,
    /// What its sender put on it.
    pub attributes: BTreeMap<String, QueueAttribute>,
    /// The digest of these.
    pub attributes_md5: Option<String>,
}

/// An attribute of a message.
#[derive(Debug, Clone)]
pub struct QueueAttribute {
    /// Its type.
    pub data_type: String,
    /// Its text.
    pub text: Option<String>,
    /// Its bytes, in Base64.
    pub binary: Option<String>,
}

/// Whether a text is a filter's pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    Pattern::parse(text).is_ok()
}

/// A message as a function gets it. That there is no digest of attributes is told where messages
/// are gathered for a while (recorded).
pub(crate) fn record(message: &QueueMessage, queue_arn: &str, gathered: bool) -> Value {
    let attribute = |one: &QueueAttribute| {
        let mut shown = Map::new();
        let values = [("stringValue", &one.text), ("binaryValue", &one.binary)];
        for (name, value) in values {
            if let Some(value) = value {
                shown.insert(name.to_owned(), value.as_str().into());
            }
        }
        shown.insert("stringListValues".to_owned(), json!([]));
        shown.insert("binaryListValues".to_owned(), json!([]));
        shown.insert("dataType".to_owned(), one.data_type.as_str().into());
        Value::Object(shown)
    };
    let attributes: Map<String, Value> =
        message.attributes.iter().map(|(name, one)| (name.clone(), attribute(one))).collect();
    let mut record = json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.system,
        "messageAttributes": attributes,
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(':').nth(3).unwrap_or_default(),
    });
    if let (true, Some(map)) =
        (gathered || message.attributes_md5.is_some(), record.as_object_mut())
    {
        map.insert("md5OfMessageAttributes".to_owned(), message.attributes_md5.clone().into());
    }
    record
}

/// Whether one of the filters wants a record. A body that is JSON is looked into.
pub(crate) fn is_wanted(filters: &[String], record: &Value) -> bool {
    if filters.is_empty() {
        return true;
    }
    let mut looked_at = record.clone();
    let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
    if let (Ok(body @ (Value::Object(_) | Value::Array(_))), Some(map)) =
        (serde_json::from_str::<Value>(body), looked_at.as_object_mut())
    {
        map.insert("body".to_owned(), body);
    }
    filters.iter().any(|text| Pattern::parse(text).is_ok_and(|one| one.matches(&looked_at)))
}

/// The messages that a function says it failed at; `None` if that cannot be read, and the whole
/// batch has failed.
pub(crate) fn failures(answer: &[u8], ids: &BTreeSet<&str>) -> Option<BTreeSet<String>> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let told = match &answer {
        Value::Null => return Some(BTreeSet::new()),
        Value::String(text) if text.is_empty() => return Some(BTreeSet::new()),
        Value::Array(list) if list.is_empty() => return Some(BTreeSet::new()),
        Value::Object(map) => map.get("batchItemFailures"),
        _ => return None,
    };
    let list = match told {
        None | Some(Value::Null) => return Some(BTreeSet::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return None,
    };
    let id = |one: &Value| {
        let id = one.get("itemIdentifier")?.as_str()?;
        ids.contains(id).then(|| id.to_owned())
    };
    list.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> QueueMessage {
        QueueMessage {
            id: "m-1".to_owned(),
            receipt: "r-1".to_owned(),
            body: body.to_owned(),
            body_md5: "d".to_owned(),
            system: BTreeMap::from([("ApproximateReceiveCount".to_owned(), "1".to_owned())]),
            attributes: BTreeMap::new(),
            attributes_md5: None,
        }
    }

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

    #[test]
    fn a_record_tells_of_its_queue_and_of_attributes_that_there_are() {
        let mut one = message("hi");
        let plain = record(&one, QUEUE, false);
        assert_eq!(plain["awsRegion"], "eu-west-1");
        assert!(plain.get("md5OfMessageAttributes").is_none());
        assert_eq!(record(&one, QUEUE, true)["md5OfMessageAttributes"], Value::Null);
        let title = QueueAttribute {
            data_type: "String".to_owned(),
            text: Some("t".to_owned()),
            binary: None,
        };
        one.attributes.insert("Title".to_owned(), title);
        one.attributes_md5 = Some("x".to_owned());
        let told = record(&one, QUEUE, false);
        assert_eq!(
            told["messageAttributes"]["Title"],
            json!({"stringValue": "t", "stringListValues": [], "binaryListValues": [],
                   "dataType": "String"})
        );
        assert_eq!(told["md5OfMessageAttributes"], "x");
    }

    #[test]
    fn a_filter_looks_into_bodies_that_are_json_alone() {
        let filters = vec![r#"{"body":{"kind":["order"]}}"#.to_owned()];
        let wanted = |body: &str| is_wanted(&filters, &record(&message(body), QUEUE, false));
        assert!(wanted(r#"{"kind":"order"}"#));
        assert!(!wanted(r#"{"kind":"other"}"#));
        assert!(!wanted("order"));
        assert!(is_wanted(&[], &record(&message("order"), QUEUE, false)));
        for wrong in ["null", "simple string", r#"{"a":"b"}"#, r#"{"a":[]}"#] {
            assert!(!is_pattern(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_a_function_failed_at_is_read_as_aws_does() {
        let ids = BTreeSet::from(["a", "b"]);
        let told = |answer: &str| failures(answer.as_bytes(), &ids);
        for nothing in ["null", "{}", "[]", r#""""#, r#"{"batchItemFailures":[]}"#] {
            assert_eq!(told(nothing), Some(BTreeSet::new()), "{nothing}");
        }
        let one = r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(told(one), Some(BTreeSet::from(["b".to_owned()])));
        for wrong in [
            "not JSON",
            r#"{"batchItemFailures":[{"foo":"b"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"other"}]}"#,
        ] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
    }
}
