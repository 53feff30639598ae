//! What can be set on a queue.
//!
//! Source: API Reference, `SetQueueAttributes`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use haechi_core::{Env, PrincipalIds};
use haechi_policy::compact;
use haechi_sqs_model::Error;
use haechi_wire::Fault;
use serde_json::{Map, Value, json};

use crate::error::invalid;
use crate::policy;

/// Numbers: name, range, default.
const NUMBERS: &[(&str, RangeInclusive<i64>, &str)] = &[
    ("DelaySeconds", 0..=900, "0"),
    ("MaximumMessageSize", 1024..=1_048_576, "1048576"),
    ("MessageRetentionPeriod", 60..=1_209_600, "345600"),
    ("ReceiveMessageWaitTimeSeconds", 0..=20, "0"),
    ("VisibilityTimeout", 0..=43_200, "30"),
];

/// Of queues under a KMS key.
const KMS_KEY: &str = "KmsMasterKeyId";
const REUSE: &str = "KmsDataKeyReusePeriodSeconds";
const REUSE_SECONDS: RangeInclusive<i64> = 60..=86_400;
const REUSE_DEFAULT: i64 = 300;
/// Characters of the name of a KMS key, as KMS takes them.
const KMS_KEY_MAX: usize = 2048;

/// Whether a queue is under SQS's own keys, as every queue here is that is under none of KMS.
const SQS_MANAGED: &str = "SqsManagedSseEnabled";

/// What only FIFO queues have: name, values, default.
const FIFO: &[(&str, &[&str], &str)] = &[
    ("ContentBasedDeduplication", &["true", "false"], "false"),
    ("DeduplicationScope", &["queue", "messageGroup"], "queue"),
    ("FifoThroughputLimit", &["perQueue", "perMessageGroupId"], "perQueue"),
];

/// The attributes of a queue: those that were set, over the defaults.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(pub(crate) &'a BTreeMap<String, String>);

/// Where messages go that were received too often.
#[derive(Debug)]
pub(crate) struct Redrive {
    pub(crate) target_arn: String,
    pub(crate) receive_max: u32,
}

impl Attributes<'_> {
    fn number(&self, name: &str) -> i64 {
        let default = NUMBERS.iter().find(|(known, ..)| *known == name).map(|row| row.2);
        let text = self.0.get(name).map(String::as_str).or(default);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn delay_ms(&self) -> i64 {
        self.number("DelaySeconds") * 1000
    }

    pub(crate) fn retention_ms(&self) -> i64 {
        self.number("MessageRetentionPeriod") * 1000
    }

    pub(crate) fn visibility_ms(&self) -> i64 {
        self.number("VisibilityTimeout") * 1000
    }

    pub(crate) fn wait_seconds(&self) -> i64 {
        self.number("ReceiveMessageWaitTimeSeconds")
    }

    /// In bytes.
    pub(crate) fn message_max(&self) -> i64 {
        self.number("MaximumMessageSize")
    }

    pub(crate) fn has_content_based_deduplication(&self) -> bool {
        self.0.get("ContentBasedDeduplication").is_some_and(|value| value == "true")
    }

    /// Whether deduplication ids are told apart by message group.
    pub(crate) fn deduplicates_by_group(&self) -> bool {
        self.0.get("DeduplicationScope").is_some_and(|value| value == "messageGroup")
    }

    /// The KMS key, if it has one.
    pub(crate) fn kms_key(&self) -> Option<&str> {
        self.0.get(KMS_KEY).map(String::as_str)
    }

    /// How long a data key of KMS serves.
    pub(crate) fn reuse_seconds(&self) -> i64 {
        let set = self.0.get(REUSE).and_then(|text| text.parse().ok());
        set.unwrap_or(REUSE_DEFAULT)
    }

    pub(crate) fn redrive(&self) -> Option<Redrive> {
        parse_redrive(self.0.get("RedrivePolicy")?).ok()
    }

    /// Whether a queue may have this one as its dead-letter queue.
    pub(crate) fn takes_from(&self, source_arn: &str) -> bool {
        match self.0.get("RedriveAllowPolicy").and_then(|text| parse_allowed(text)) {
            Some(Allowed::Some(sources)) => sources.iter().any(|arn| arn == source_arn),
            Some(Allowed::All) | None => true,
        }
    }

    /// All of them as answers show them, but for counts, times and the ARN.
    pub(crate) fn shown(&self, is_fifo: bool) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::from([(SQS_MANAGED.to_owned(), "true".to_owned())]);
        let mut default = |name: &str, value: &str| shown.insert(name.to_owned(), value.to_owned());
        for (name, _, value) in NUMBERS {
            default(name, value);
        }
        if is_fifo {
            default("FifoQueue", "true");
            for (name, _, value) in FIFO {
                default(name, value);
            }
        }
        if self.kms_key().is_some() {
            default(REUSE, &REUSE_DEFAULT.to_string());
        }
        shown.extend(self.0.clone());
        if self.kms_key().is_none() {
            shown.remove(REUSE);
        }
        shown
    }
}

/// Whose messages a dead-letter queue takes: everybody's, or those of some; which may be none.
enum Allowed {
    All,
    Some(Vec<String>),
}

/// Queues that a dead-letter queue can name as its sources.
const SOURCES_MAX: usize = 10;

fn parse_allowed(text: &str) -> Option<Allowed> {
    let policy: Value = serde_json::from_str(text).ok()?;
    let sources = policy.get("sourceQueueArns");
    match (policy.get("redrivePermission")?.as_str()?, sources) {
        ("allowAll", None) => Some(Allowed::All),
        ("denyAll", None) => Some(Allowed::Some(Vec::new())),
        ("byQueue", Some(sources)) => {
            let named = |arn: &Value| arn.as_str().map(str::to_owned);
            let sources: Vec<String> =
                sources.as_array()?.iter().map(named).collect::<Option<_>>()?;
            (1..=SOURCES_MAX).contains(&sources.len()).then_some(Allowed::Some(sources))
        }
        _ => None,
    }
}

/// A redrive policy, or why it is none.
fn parse_redrive(text: &str) -> Result<Redrive, String> {
    let no_map = || "Redrive policy is not a valid JSON map.".to_owned();
    let policy: Map<String, Value> = serde_json::from_str(text).map_err(|_| no_map())?;
    let member = |name: &str| {
        let missing = || format!("Redrive policy does not contain mandatory attribute: {name}.");
        policy.get(name).ok_or_else(missing)
    };
    let target_arn = member("deadLetterTargetArn")?.as_str().ok_or_else(no_map)?.to_owned();
    let count = member("maxReceiveCount")?;
    // Clients write it as a number and as text.
    let number = count.as_i64().or_else(|| count.as_str()?.parse().ok());
    let valid = number.and_then(|number| u32::try_from(number).ok());
    let receive_max = valid.filter(|count| (1..=1000).contains(count)).ok_or_else(|| {
        let shown = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
        format!(
            "Invalid value for maxReceiveCount: {shown}, valid values are from 1 to 1000 both inclusive."
        )
    })?;
    Ok(Redrive { target_arn, receive_max })
}

/// The policy as AWS shows it, however it was written: in one line, the count a number. Terraform
/// compares the text.
fn shown_redrive(policy: &str) -> String {
    let Ok(Redrive { target_arn, receive_max }) = parse_redrive(policy) else {
        return policy.to_owned();
    };
    json!({ "deadLetterTargetArn": target_arn, "maxReceiveCount": receive_max }).to_string()
}

/// Attributes of queues that are only shown.
const SHOWN: [&str; 6] = [
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

/// Attributes that are set, beside [`NUMBERS`] and [`FIFO`].
const OTHERS: [&str; 7] =
    ["FifoQueue", "Policy", "RedrivePolicy", "RedriveAllowPolicy", SQS_MANAGED, KMS_KEY, REUSE];

/// Refuses names that no attribute of a queue has.
pub(crate) fn known<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let is_known = |name: &str| {
        name == "All"
            || SHOWN.contains(&name)
            || OTHERS.contains(&name)
            || NUMBERS.iter().any(|(known, ..)| *known == name)
            || FIFO.iter().any(|(known, ..)| *known == name)
    };
    names.filter(|name| !is_known(name)).map(|name| Err(unknown(name))).next().unwrap_or(Ok(()))
}

fn unknown(name: &str) -> Error {
    Error::InvalidAttributeName(format!("Unknown Attribute {name}."))
}

fn wrong(name: &str) -> Error {
    Error::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
}

/// Attributes that are true or false. Clients write them as their languages do.
const SWITCHES: [&str; 3] = ["FifoQueue", "ContentBasedDeduplication", SQS_MANAGED];

/// What a request sets, with `True` as `true`.
pub(crate) fn wanted(mut given: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for name in SWITCHES {
        if let Some(value) = given.get_mut(name) {
            value.make_ascii_lowercase();
        }
    }
    given
}

/// Checks attributes that are to be set on a queue, and lays them over those that it has. Empty
/// text takes a policy away.
pub(crate) fn set(
    existing: &mut BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    is_fifo: bool,
) -> Result<(), Error> {
    for (name, value) in wanted {
        check(name, value, is_fifo)?;
        match name.as_str() {
            "FifoQueue" => {}
            _ if value.is_empty() => {
                existing.remove(name);
            }
            "RedrivePolicy" => {
                existing.insert(name.clone(), shown_redrive(value));
            }
            "Policy" => {
                existing.insert(name.clone(), compact(value));
            }
            _ => {
                existing.insert(name.clone(), value.clone());
            }
        }
    }
    encrypt(existing, wanted)?;
    let is_high = existing.get("FifoThroughputLimit").is_some_and(|v| v == "perMessageGroupId");
    if is_high && !Attributes(existing).deduplicates_by_group() {
        return Err(Error::InvalidAttributeValue(
            "You must set DeduplicationScope to messageGroup if FifoThroughputLimit is perMessageGroupId."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Those whom the policy that a queue now has names, where it was set: all must exist.
pub(crate) async fn principals(
    env: &Env,
    attributes: &BTreeMap<String, String>,
) -> Result<PrincipalIds, Error> {
    let Some(policy) = attributes.get("Policy") else { return Ok(PrincipalIds::default()) };
    let document = policy::parse(policy).map_err(Fault::internal)?;
    env.principal_ids(&document, |_| wrong("Policy")).await
}

/// A queue is under one kind of keys: setting a KMS key ends that of SQS's own.
fn encrypt(
    existing: &mut BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Result<(), Error> {
    if !existing.contains_key(KMS_KEY) {
        return Ok(());
    }
    if wanted.get(SQS_MANAGED).is_some_and(|value| value == "true") {
        return Err(Error::InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
                .to_owned(),
        ));
    }
    existing.insert(SQS_MANAGED.to_owned(), "false".to_owned());
    Ok(())
}

fn check(name: &str, value: &str, is_fifo: bool) -> Result<(), Error> {
    if let Some((_, range, _)) = NUMBERS.iter().find(|(known, ..)| *known == name) {
        let number: Option<i64> = value.parse().ok();
        return number
            .filter(|number| range.contains(number))
            .map(|_| ())
            .ok_or_else(|| wrong(name));
    }
    if let Some((_, values, _)) = FIFO.iter().find(|(known, ..)| *known == name) {
        return match (is_fifo, values.contains(&value)) {
            (true, true) => Ok(()),
            (true, false) => Err(wrong(name)),
            (false, _) if name == "ContentBasedDeduplication" => Err(unknown(name)),
            (false, _) => Err(Error::InvalidAttributeName(format!(
                "You can specify the {name} only when FifoQueue is set to true."
            ))),
        };
    }
    match name {
        "FifoQueue" if !is_fifo => Err(unknown(name)),
        "FifoQueue" if value != "true" => Err(Error::InvalidAttributeValue(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
                .to_owned(),
        )),
        "FifoQueue" => Ok(()),
        "Policy" if value.is_empty() => Ok(()),
        "Policy" => policy::parse(value)
            .and_then(|document| document.require_known_services())
            .map_err(|_| wrong(name)),
        "RedrivePolicy" if value.is_empty() => Ok(()),
        "RedrivePolicy" => parse_redrive(value)
            .map(|_| ())
            .map_err(|reason| invalid("RedrivePolicy", value, &reason)),
        "RedriveAllowPolicy" if value.is_empty() => Ok(()),
        "RedriveAllowPolicy" => parse_allowed(value).map(|_| ()).ok_or_else(|| wrong(name)),
        // haechi encrypts every queue under its own keys in any case.
        SQS_MANAGED if ["true", "false"].contains(&value) => Ok(()),
        SQS_MANAGED => Err(wrong(name)),
        KMS_KEY if value.len() <= KMS_KEY_MAX => Ok(()),
        REUSE if value.is_empty() => Ok(()),
        REUSE => {
            let seconds: Option<i64> = value.parse().ok();
            let fits = seconds.is_some_and(|seconds| REUSE_SECONDS.contains(&seconds));
            if fits { Ok(()) } else { Err(wrong(name)) }
        }
        _ => Err(unknown(name)),
    }
}
