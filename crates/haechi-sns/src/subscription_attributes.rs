//! What can be set on a subscription.
//!
//! Source: API Reference, `Subscribe` and `SetSubscriptionAttributes`.

use std::collections::BTreeMap;

use haechi_core::Cx;
use haechi_sns_model::Error;
use serde_json::Value;

use crate::arn;
use crate::delivery_policy::Effective;
use crate::error::invalid;
use crate::filter::{Filter, Scope};

/// Which subscription attributes are set on.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) topic_is_fifo: bool,
    pub(crate) protocol: &'a str,
    pub(crate) endpoint: &'a str,
    /// Whether it is about to be made: AWS words refusals differently then.
    pub(crate) is_new: bool,
}

impl Subject<'_> {
    fn refused(&self, told: impl std::fmt::Display) -> Error {
        let reason = if self.is_new { "Attributes Reason: " } else { "" };
        invalid(format!("{reason}{told}"))
    }
}

/// Checks attributes that are to be set, and lays them over those that it has. Empty text takes
/// one away.
pub(crate) fn set(
    cx: &Cx,
    subject: &Subject<'_>,
    existing: &mut BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Result<(), Error> {
    for (name, value) in wanted {
        check(cx, subject, name, value)?;
        let is_gone = value.is_empty() || (name == "FilterPolicy" && is_empty_object(value));
        if is_gone {
            existing.remove(name);
        } else {
            existing.insert(name.clone(), value.clone());
        }
    }
    filter(existing).map(|_| ()).map_err(|told| {
        // Recorded: what is wrong with the scope is not said of the policy.
        let prefix = if told.starts_with("Filter policy scope") { "" } else { "FilterPolicy: " };
        subject.refused(format!("{prefix}{told}"))
    })
}

fn check(cx: &Cx, subject: &Subject<'_>, name: &str, value: &str) -> Result<(), Error> {
    match name {
        // With what else is set, in the end.
        "FilterPolicy" => Ok(()),
        "FilterPolicyScope" if ["MessageAttributes", "MessageBody"].contains(&value) => Ok(()),
        "FilterPolicyScope" => Err(subject.refused(format!(
            "FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
        ))),
        "RawMessageDelivery" => check_raw(subject, value),
        "RedrivePolicy" if value.is_empty() => Ok(()),
        "RedrivePolicy" => check_redrive(cx, subject, value),
        "DeliveryPolicy" if value.is_empty() => Ok(()),
        // Whatever the protocol, as with AWS; only HTTP(S) deliveries go by it.
        "DeliveryPolicy" => Effective::default().with_subscription(Some(value)).map(|_| ()),
        "SubscriptionRoleArn" | "ReplayPolicy" => Err(cx.unsupported_parameter(name).into()),
        _ => Err(subject.refused("AttributeName")),
    }
}

fn check_raw(subject: &Subject<'_>, value: &str) -> Result<(), Error> {
    if !["true", "false"].contains(&value) {
        return Err(subject.refused(format!(
            "RawMessageDelivery: Invalid value [{value}]. Must be true or false."
        )));
    }
    let protocol = subject.protocol;
    if value == "true" && !["sqs", "http", "https"].contains(&protocol) {
        return Err(subject.refused(format!(
            "RawMessageDelivery: Delivery protocol [{protocol}] does not support raw message delivery."
        )));
    }
    Ok(())
}

fn check_redrive(cx: &Cx, subject: &Subject<'_>, value: &str) -> Result<(), Error> {
    let refused = |told: &str| subject.refused(format!("RedrivePolicy: {told}"));
    if serde_json::from_str::<Value>(value).is_err() {
        return Err(refused("failed to parse JSON."));
    }
    let target = dead_letter_arn(value).unwrap_or_default();
    if !arn::is_endpoint(cx, "sqs", &target) {
        return Err(refused("deadLetterTargetArn is an invalid arn"));
    }
    let fifo = subject.topic_is_fifo && subject.endpoint.ends_with(".fifo");
    if fifo && !target.ends_with(".fifo") {
        return Err(refused(
            "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.",
        ));
    }
    Ok(())
}

/// The queue of a redrive policy.
pub(crate) fn dead_letter_arn(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    Some(policy.get("deadLetterTargetArn")?.as_str()?.to_owned())
}

fn is_empty_object(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(fields)) if fields.is_empty())
}

/// The filter that attributes set; `None` if they set none.
pub(crate) fn filter(attributes: &BTreeMap<String, String>) -> Result<Option<Filter>, String> {
    let Some(text) = attributes.get("FilterPolicy") else { return Ok(None) };
    let scope = Scope::named(attributes.get("FilterPolicyScope").map(String::as_str));
    Filter::parse(text, scope).map(Some)
}

/// What holds where an attribute is not set.
pub(crate) fn default(name: &str) -> Option<&'static str> {
    match name {
        "RawMessageDelivery" => Some("false"),
        "FilterPolicyScope" => Some("MessageAttributes"),
        _ => None,
    }
}
