//! What EventBridge is told.
//!
//! Source: User Guide, "Amazon EventBridge event examples for Systems Manager"; User Guide,
//! "Setting up notifications or trigger actions based on Parameter Store events".

use haechi_core::event::Event;
use haechi_core::{AccountId, Env, Region};
use haechi_wire::{Fault, Timestamp};
use serde_json::{Map, Value};

use crate::name::{Name, arn_in};
use crate::store::{ParameterRecord, PolicyRecord};

const SOURCE: &str = "aws.ssm";

/// Where and when something happens.
#[derive(Clone, Copy)]
pub(crate) struct Happening<'a> {
    pub(crate) env: &'a Env,
    pub(crate) account: &'a AccountId,
    pub(crate) region: &'a Region,
    pub(crate) time: Timestamp,
}

impl Happening<'_> {
    fn event(
        self,
        kind: &str,
        parameter: &ParameterRecord,
        detail: &[(&str, &str)],
    ) -> Result<Event, Fault> {
        let text = |(key, value): &(&str, &str)| ((*key).to_owned(), Value::from(*value));
        let detail: Map<String, Value> = detail.iter().map(text).collect();
        let (place, source) = ((self.account, self.region), (SOURCE, kind));
        let event = Event::new(self.env, place, self.time, source, Value::Object(detail))?;
        let name = Name::parse(&parameter.name);
        Ok(event.about(name.map(|name| arn_in(self.region, self.account.as_str(), &name))))
    }

    /// A change of a parameter: `Create`, `Update`, `Delete` or `LabelParameterVersion`.
    pub(crate) fn change(
        self,
        operation: &str,
        parameter: &ParameterRecord,
    ) -> Result<Event, Fault> {
        let current = &parameter.current;
        let mut detail = vec![
            ("operation", operation),
            ("name", parameter.name.as_str()),
            ("type", current.kind.as_str()),
        ];
        if let Some(description) = &current.description {
            detail.push(("description", description));
        }
        self.event("Parameter Store Change", parameter, &detail)
    }

    /// A policy that was enforced.
    pub(crate) fn policy_action(
        self,
        parameter: &ParameterRecord,
        policy: &PolicyRecord,
        reason: &str,
    ) -> Result<Event, Fault> {
        let created = Timestamp::from_millis(policy.created_ms).format("%Y-%m-%dT%H:%M:%S%.3fZ");
        let reason = format!(
            "{reason} This notification was generated based on the policy created at {created}"
        );
        let detail = [
            ("policy-type", policy.kind.as_str()),
            ("parameter-name", parameter.name.as_str()),
            ("parameter-type", parameter.current.kind.as_str()),
            ("policy-content", policy.text.as_str()),
            ("action-status", "Success"),
            ("action-reason", reason.as_str()),
        ];
        self.event("Parameter Store Policy Action", parameter, &detail)
    }
}
