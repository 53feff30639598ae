//! What can be set on a topic, and how it is shown.
//!
//! Source: API Reference, `CreateTopic` and `SetTopicAttributes`.

use std::collections::BTreeMap;

use haechi_core::{Cx, Env, PrincipalIds};
use haechi_policy::{Document, Kind, compact};
use haechi_sns_model::Error;
use haechi_wire::Fault;

use crate::arn::TopicArn;
use crate::delivery_policy::{Effective, shown_of_topic};
use crate::error::invalid;
use crate::topic;

/// Characters of a display name, at most.
const DISPLAY_NAME_MAX: usize = 100;

/// Bytes of a policy, at most.
const POLICY_MAX: usize = 30_720;

/// Characters of the name of a KMS key, as KMS takes them.
const KMS_KEY_MAX: usize = 2048;

/// What only FIFO topics have: name and values.
const FIFO: &[(&str, &[&str])] = &[
    ("ContentBasedDeduplication", &["true", "false"]),
    ("FifoThroughputScope", &["Topic", "MessageGroup"]),
];

/// Checks an attribute that is to be set, and sets it; empty text takes it away.
pub(crate) fn set(
    cx: &Cx,
    arn: &TopicArn,
    attributes: &mut BTreeMap<String, String>,
    (name, value): (&str, &str),
) -> Result<(), Error> {
    check(cx, arn, name, value)?;
    if value.is_empty() {
        attributes.remove(name);
    } else {
        attributes.insert(name.to_owned(), kept(name, value));
    }
    Ok(())
}

/// An attribute's value as it is kept and shown: AWS takes the space out of policies.
pub(crate) fn kept(name: &str, value: &str) -> String {
    if name == "Policy" { compact(value) } else { value.to_owned() }
}

fn check(cx: &Cx, arn: &TopicArn, name: &str, value: &str) -> Result<(), Error> {
    let is_fifo = arn.name.ends_with(".fifo");
    if let Some((_, values)) = FIFO.iter().find(|(known, _)| *known == name) {
        return match (is_fifo, values.contains(&value)) {
            (true, true) => Ok(()),
            (true, false) => Err(invalid(format!("{name} Reason: invalid value"))),
            (false, _) => Err(invalid("AttributeName")),
        };
    }
    match name {
        "DisplayName" if value.chars().count() > DISPLAY_NAME_MAX => Err(invalid("DisplayName")),
        "DisplayName" if value.contains(char::is_control) => Err(invalid("DisplayName")),
        "DisplayName" => Ok(()),
        "Policy" if value.is_empty() => Ok(()),
        "Policy" => check_policy(value),
        "DeliveryPolicy" if value.is_empty() => Ok(()),
        "DeliveryPolicy" => Effective::of_topic(Some(value)).map(|_| ()),
        "SignatureVersion" if ["1", "2"].contains(&value) => Ok(()),
        "SignatureVersion" => Err(invalid("SignatureVersion")),
        // The only way of tracing that asks nothing of SNS.
        "TracingConfig" if value == "PassThrough" => Ok(()),
        "KmsMasterKeyId" if value.len() <= KMS_KEY_MAX => Ok(()),
        "KmsMasterKeyId" => Err(invalid("KmsMasterKeyId")),
        "TracingConfig" | "ArchivePolicy" => Err(cx.unsupported_parameter(name).into()),
        _ if is_feedback(name) => check_feedback(cx, name, value),
        _ => Err(invalid("AttributeName")),
    }
}

/// Logs of deliveries: `HTTPSuccessFeedbackRoleArn` and its like.
fn is_feedback(name: &str) -> bool {
    let kinds = ["HTTP", "Firehose", "Lambda", "SQS", "Application"];
    let rest = kinds.iter().find_map(|kind| name.strip_prefix(kind));
    let known = ["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"];
    rest.is_some_and(|rest| known.contains(&rest))
}

/// Without a role nothing is logged, whatever the rate: Terraform sets a rate of 0 on each topic.
fn check_feedback(cx: &Cx, name: &str, value: &str) -> Result<(), Error> {
    match (name.ends_with("SampleRate"), value.parse::<u8>()) {
        _ if value.is_empty() => Ok(()),
        (true, Ok(0..=100)) => Ok(()),
        (true, _) => Err(invalid(name)),
        (false, _) => Err(cx.unsupported_parameter(name).into()),
    }
}

/// A policy on a topic: readable, and about SNS only.
pub(crate) fn check_policy(text: &str) -> Result<(), Error> {
    if text.len() > POLICY_MAX {
        return Err(invalid("Policy length exceeds 30720"));
    }
    Document::parse(text, Kind::Resource)
        .map_err(|_| invalid("Policy Error: null"))?
        .require_known_services()
        .map_err(|_| no_principal())?;
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| invalid("Policy Error: null"))?;
    let one_or_many = |value: &serde_json::Value| match value {
        serde_json::Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    let statements = value.get("Statement").map(one_or_many).unwrap_or_default();
    let actions = statements.iter().filter_map(|statement| statement.get("Action"));
    for action in actions.flat_map(one_or_many) {
        let action = action.as_str().unwrap_or_default().to_ascii_lowercase();
        if action != "*" && !action.starts_with("sns:") {
            return Err(invalid("Policy statement action out of service scope!"));
        }
    }
    Ok(())
}

/// Those whom the policy that a topic now has names, where it was set: all must exist.
pub(crate) async fn principals(
    env: &Env,
    attributes: &BTreeMap<String, String>,
) -> Result<PrincipalIds, Error> {
    let Some(policy) = attributes.get("Policy") else { return Ok(PrincipalIds::default()) };
    let document = Document::parse(policy, Kind::Resource).map_err(Fault::internal)?;
    env.principal_ids(&document, |_| no_principal()).await
}

fn no_principal() -> Error {
    invalid("Policy Error: PrincipalNotFound")
}

/// How many subscriptions a topic has.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) confirmed: usize,
    pub(crate) pending: usize,
    pub(crate) ended: usize,
}

/// All of them as answers show them.
pub(crate) fn show(
    arn: &TopicArn,
    set: &BTreeMap<String, String>,
    counts: &Counts,
) -> Result<BTreeMap<String, String>, Error> {
    let policy = set.get("DeliveryPolicy").map(String::as_str);
    let mut shown = BTreeMap::from(
        [
            ("TopicArn", arn.arn.clone()),
            ("Owner", arn.account.to_string()),
            ("Policy", topic::policy(arn, set)),
            ("DisplayName", String::new()),
            ("SubscriptionsConfirmed", counts.confirmed.to_string()),
            ("SubscriptionsPending", counts.pending.to_string()),
            ("SubscriptionsDeleted", counts.ended.to_string()),
            ("EffectiveDeliveryPolicy", Effective::of_topic(policy)?.show_topic()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if arn.name.ends_with(".fifo") {
        shown.insert("FifoTopic".to_owned(), "true".to_owned());
        shown.insert("ContentBasedDeduplication".to_owned(), "false".to_owned());
    }
    shown.extend(set.clone());
    if let Some(policy) = policy {
        shown.insert("DeliveryPolicy".to_owned(), shown_of_topic(policy)?);
    }
    Ok(shown)
}
