//! When what failed is tried again (pure): phases of immediate, early, slower and late tries.
//!
//! Source: Developer Guide, "Amazon SNS message delivery retries".

use haechi_sns_model::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::invalid;

/// Tries after the first, in all, of a policy that a user sets.
const RETRIES_MAX: u32 = 100;

/// Seconds between two tries, at most.
const DELAY_MAX: u32 = 3600;

/// Seconds from the first to the last try of a policy that a user sets, at most.
const TOTAL_MAX: u64 = 3600;

/// `healthyRetryPolicy`: delays in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RetryPolicy {
    min_delay_target: u32,
    max_delay_target: u32,
    num_retries: u32,
    num_max_delay_retries: u32,
    num_no_delay_retries: u32,
    num_min_delay_retries: u32,
    backoff_function: Backoff,
}

/// How delays grow from the least to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Backoff {
    Linear,
    Arithmetic,
    Geometric,
    Exponential,
}

impl Default for RetryPolicy {
    /// Of HTTP endpoints.
    fn default() -> RetryPolicy {
        RetryPolicy {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_max_delay_retries: 0,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            backoff_function: Backoff::Linear,
        }
    }
}

/// Of queues and functions: over 23 days.
pub(crate) const MANAGED: RetryPolicy = RetryPolicy {
    min_delay_target: 1,
    max_delay_target: 20,
    num_retries: 100_015,
    num_max_delay_retries: 100_000,
    num_no_delay_retries: 3,
    num_min_delay_retries: 2,
    backoff_function: Backoff::Exponential,
};

/// Of mail: over six hours.
pub(crate) const MAIL: RetryPolicy = RetryPolicy {
    min_delay_target: 10,
    max_delay_target: 600,
    num_retries: 50,
    num_max_delay_retries: 38,
    num_no_delay_retries: 0,
    num_min_delay_retries: 2,
    backoff_function: Backoff::Exponential,
};

impl RetryPolicy {
    /// Seconds to wait before the `number`th try after the first one; `None` if there is none.
    pub(crate) fn delay_seconds(&self, number: u32) -> Option<i64> {
        if number == 0 || number > self.num_retries {
            return None;
        }
        let (first, last) = (f64::from(self.min_delay_target), f64::from(self.max_delay_target));
        let Some(after_none) = number.checked_sub(self.num_no_delay_retries + 1) else {
            return Some(0);
        };
        let Some(step) = after_none.checked_sub(self.num_min_delay_retries) else {
            return Some(i64::from(self.min_delay_target));
        };
        let early = self.num_no_delay_retries + self.num_min_delay_retries;
        let steps = self.num_retries.saturating_sub(early + self.num_max_delay_retries);
        if step >= steps {
            return Some(i64::from(self.max_delay_target));
        }
        // From 0, at the first of the steps, to 1 at the last.
        let part = f64::from(step) / f64::from(steps.saturating_sub(1).max(1));
        let delay = match self.backoff_function {
            Backoff::Linear => first + (last - first) * part,
            Backoff::Arithmetic => first + (last - first) * part * (part + 1.0) / 2.0,
            Backoff::Geometric => first * (last / first.max(1.0)).powf(part),
            Backoff::Exponential => first + (last - first) * (2_f64.powf(part * 8.0) - 1.0) / 255.0,
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most the longest delay, an u32")]
        Some(delay.round() as i64)
    }

    fn check(&self) -> Result<(), Error> {
        let refused = |told: &str| Err(invalid(format!("DeliveryPolicy: {told}")));
        if self.min_delay_target < 1 || self.min_delay_target > self.max_delay_target {
            return refused(
                "healthyRetryPolicy.minDelayTarget must be between 1 and healthyRetryPolicy.maxDelayTarget",
            );
        }
        if self.max_delay_target > DELAY_MAX {
            return refused("healthyRetryPolicy.maxDelayTarget must be less than or equal to 3600");
        }
        if self.num_retries > RETRIES_MAX {
            return refused("healthyRetryPolicy.numRetries must be less than or equal to 100");
        }
        let named = u64::from(self.num_no_delay_retries)
            + u64::from(self.num_min_delay_retries)
            + u64::from(self.num_max_delay_retries);
        if named > u64::from(self.num_retries) {
            return refused(
                "healthyRetryPolicy.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries",
            );
        }
        let total: i64 = (1..=self.num_retries).filter_map(|n| self.delay_seconds(n)).sum();
        if u64::try_from(total).unwrap_or(u64::MAX) > TOTAL_MAX {
            return refused(
                "healthyRetryPolicy: the total time of all retries must not be longer than 3600 seconds",
            );
        }
        Ok(())
    }
}

/// What holds for an HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) retry: RetryPolicy,
    /// `Content-Type` of requests.
    pub(crate) content_type: String,
    /// Whether a subscription's own policy does not count.
    overrides_are_disabled: bool,
}

impl Default for Effective {
    fn default() -> Effective {
        Effective {
            retry: RetryPolicy::default(),
            content_type: "text/plain; charset=UTF-8".to_owned(),
            overrides_are_disabled: false,
        }
    }
}

impl Effective {
    /// Of a topic with this policy.
    pub(crate) fn of_topic(text: Option<&str>) -> Result<Effective, Error> {
        let mut effective = Effective::default();
        let Some(text) = text else { return Ok(effective) };
        let policy = parse(text)?;
        let http = match policy.get("http") {
            Some(http) if http.is_object() => http,
            _ => return Err(invalid("DeliveryPolicy: http is required")),
        };
        effective.lay(http.get("defaultHealthyRetryPolicy"), http.get("defaultRequestPolicy"))?;
        only_null(http.get("defaultSicklyRetryPolicy"), "defaultSicklyRetryPolicy")?;
        only_null(http.get("defaultThrottlePolicy"), "defaultThrottlePolicy")?;
        effective.overrides_are_disabled =
            http.get("disableSubscriptionOverrides").and_then(Value::as_bool).unwrap_or(false);
        Ok(effective)
    }

    /// Of a subscription with this policy.
    pub(crate) fn with_subscription(mut self, text: Option<&str>) -> Result<Effective, Error> {
        let Some(text) = text else { return Ok(self) };
        let policy = parse(text)?;
        only_null(policy.get("sicklyRetryPolicy"), "sicklyRetryPolicy")?;
        only_null(policy.get("throttlePolicy"), "throttlePolicy")?;
        let before = self.clone();
        self.lay(policy.get("healthyRetryPolicy"), policy.get("requestPolicy"))?;
        Ok(if before.overrides_are_disabled { before } else { self })
    }

    fn lay(&mut self, retry: Option<&Value>, request: Option<&Value>) -> Result<(), Error> {
        let there = |value: &&Value| !value.is_null();
        if let Some(retry) = retry.filter(there) {
            self.retry = serde_json::from_value(retry.clone())
                .map_err(|error| invalid(format!("DeliveryPolicy: {error}")))?;
            self.retry.check()?;
        }
        if let Some(request) = request.filter(there) {
            let content_type = request.get("headerContentType").and_then(Value::as_str);
            let known = content_type.filter(|text| {
                let media = text.split(';').next().unwrap_or_default().trim();
                CONTENT_TYPES.contains(&media) && text.bytes().all(|byte| (32..127).contains(&byte))
            });
            let told = "DeliveryPolicy: requestPolicy.headerContentType is not supported";
            self.content_type = known.ok_or_else(|| invalid(told))?.to_owned();
        }
        Ok(())
    }

    /// `EffectiveDeliveryPolicy` of a topic.
    pub(crate) fn show_topic(&self) -> String {
        json!({"http": {
            "defaultHealthyRetryPolicy": self.retry,
            "disableSubscriptionOverrides": self.overrides_are_disabled,
            "defaultRequestPolicy": {"headerContentType": self.content_type},
        }})
        .to_string()
    }

    /// `EffectiveDeliveryPolicy` of a subscription.
    pub(crate) fn show_subscription(&self) -> String {
        json!({
            "healthyRetryPolicy": self.retry,
            "sicklyRetryPolicy": null,
            "throttlePolicy": null,
            "requestPolicy": {"headerContentType": self.content_type},
            "guaranteed": false,
        })
        .to_string()
    }
}

/// A topic's own policy as answers show it (recorded): what is null is left out, what is missing of
/// the rest stands there.
pub(crate) fn shown_of_topic(text: &str) -> Result<String, Error> {
    let policy = parse(text)?;
    let http = policy.get("http").unwrap_or(&Value::Null);
    let mut shown = serde_json::Map::new();
    let mut show = |name: &str, otherwise: Option<Value>| {
        let set = http.get(name).filter(|value| !value.is_null()).cloned();
        if let Some(value) = set.or(otherwise) {
            shown.insert(name.to_owned(), value);
        }
    };
    show("defaultHealthyRetryPolicy", None);
    show("disableSubscriptionOverrides", Some(false.into()));
    show("defaultRequestPolicy", None);
    Ok(json!({"http": shown}).to_string())
}

/// A subscription's own policy as answers show it (recorded): all parts, null where they are not set.
pub(crate) fn shown_of_subscription(text: &str) -> Result<String, Error> {
    let policy = parse(text)?;
    let part = |name: &str| policy.get(name).cloned().unwrap_or(Value::Null);
    Ok(json!({
        "healthyRetryPolicy": part("healthyRetryPolicy"),
        "sicklyRetryPolicy": null,
        "throttlePolicy": null,
        "requestPolicy": part("requestPolicy"),
        "guaranteed": false,
    })
    .to_string())
}

/// Content types that requests may have.
const CONTENT_TYPES: &[&str] = &[
    "application/atom+xml",
    "application/json",
    "application/octet-stream",
    "application/soap+xml",
    "application/x-www-form-urlencoded",
    "application/xhtml+xml",
    "application/xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/plain",
    "text/xml",
];

fn parse(text: &str) -> Result<Value, Error> {
    let policy = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    policy.ok_or_else(|| invalid("DeliveryPolicy: failed to parse JSON."))
}

/// Parts of policies that haechi does not do must not be set.
fn only_null(value: Option<&Value>, name: &str) -> Result<(), Error> {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(invalid(format!("DeliveryPolicy: {name} is not supported by haechi"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn delays(policy: &str) -> Vec<i64> {
        let retry: RetryPolicy = serde_json::from_str(policy).unwrap();
        (1..).map_while(|number| retry.delay_seconds(number)).collect()
    }

    #[test]
    fn tries_pass_through_their_phases() {
        assert_eq!(delays("{}"), [20, 20, 20]);
        let phases = r#"{"minDelayTarget": 1, "maxDelayTarget": 60, "numRetries": 9,
            "numNoDelayRetries": 2, "numMinDelayRetries": 2, "numMaxDelayRetries": 2}"#;
        assert_eq!(delays(phases), [0, 0, 1, 1, 1, 31, 60, 60, 60]);
        for function in ["linear", "arithmetic", "geometric", "exponential"] {
            let policy = format!(
                r#"{{"minDelayTarget": 5, "maxDelayTarget": 260, "numRetries": 12, "backoffFunction": "{function}"}}"#
            );
            let delays = delays(&policy);
            assert_eq!((delays.first(), delays.last()), (Some(&5), Some(&260)), "{function}");
            assert!(delays.is_sorted(), "{function}: {delays:?}");
        }
    }

    #[test]
    fn queues_and_functions_are_tried_for_23_days() {
        let early: Vec<i64> = (1..=5).filter_map(|number| MANAGED.delay_seconds(number)).collect();
        assert_eq!(early, [0, 0, 0, 1, 1]);
        assert_eq!(MANAGED.delay_seconds(100_015), Some(20));
        assert_eq!(MANAGED.delay_seconds(100_016), None);
    }

    #[test]
    fn a_subscription_overrides_its_topic_unless_that_is_disabled() {
        let topic = |disabled: bool| {
            let text = format!(
                r#"{{"http": {{"defaultHealthyRetryPolicy": {{"numRetries": 7}}, "disableSubscriptionOverrides": {disabled}}}}}"#
            );
            Effective::of_topic(Some(&text)).unwrap()
        };
        let own = Some(r#"{"healthyRetryPolicy": {"numRetries": 2}}"#);
        assert_eq!(topic(false).with_subscription(own).unwrap().retry.num_retries, 2);
        assert_eq!(topic(true).with_subscription(own).unwrap().retry.num_retries, 7);
    }

    #[test]
    fn policies_out_of_bounds_are_refused() {
        for policy in [
            r#"{"healthyRetryPolicy": {"minDelayTarget": 0}}"#,
            r#"{"healthyRetryPolicy": {"minDelayTarget": 30}}"#,
            r#"{"healthyRetryPolicy": {"maxDelayTarget": 3601}}"#,
            r#"{"healthyRetryPolicy": {"numRetries": 101}}"#,
            r#"{"healthyRetryPolicy": {"numRetries": 1, "numNoDelayRetries": 2}}"#,
            r#"{"healthyRetryPolicy": {"backoffFunction": "other"}}"#,
            r#"{"throttlePolicy": {"maxReceivesPerSecond": 1}}"#,
            r#"{"requestPolicy": {"headerContentType": "image/png"}}"#,
            "[]",
        ] {
            assert!(Effective::default().with_subscription(Some(policy)).is_err(), "{policy}");
        }
    }
}
