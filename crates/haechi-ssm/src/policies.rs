//! Parameter policies: what a parameter's owner wants to happen at a time.
//!
//! Each policy that waits has a job. A policy that is replaced has another id, so the jobs of the
//! old one find nothing to do; that of a `NoChangeNotification` names the version that it waits
//! beside.
//!
//! Source: User Guide, "Assigning parameter policies in Parameter Store".

use haechi_core::{Batch, Env, Job};
use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::ParameterInlinePolicy;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{Place, PolicyRecord, VersionRecord};

/// The kind of the jobs that enforce policies.
pub(crate) const JOB: &str = "ssm-policy";

/// Policies of one parameter, at most.
const POLICIES_MAX: usize = 10;

pub(crate) const PENDING: &str = "Pending";
pub(crate) const FINISHED: &str = "Finished";

const EXPIRATION: &str = "Expiration";
const EXPIRATION_NOTIFICATION: &str = "ExpirationNotification";
const NO_CHANGE_NOTIFICATION: &str = "NoChangeNotification";

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The parameter is deleted then.
    Expiration { at_ms: i64 },
    /// An event, that long before the parameter is deleted.
    ExpirationNotification { before_ms: i64 },
    /// An event, when the parameter has not changed for that long.
    NoChangeNotification { after_ms: i64 },
}

/// What a job of [`JOB`] is about.
#[derive(Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) policy: String,
}

fn attribute_refused() -> Error {
    Error::InvalidPolicyAttributeException("A policy attribute or its value is invalid.".to_owned())
}

fn conflict() -> Error {
    Error::IncompatiblePolicyException(
        "There is a conflict in the policies specified for this parameter. You can't, for example, \
         specify two Expiration policies for a parameter. Review your policies, and try again."
            .to_owned(),
    )
}

/// Milliseconds of `{"Before": "15", "Unit": "Days"}`.
fn span(attributes: &Value, name: &str) -> Option<i64> {
    let amount = attributes.get(name)?;
    let amount: i64 = match amount {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    let unit_ms = match attributes.get("Unit")?.as_str()? {
        "Days" => 86_400_000,
        "Hours" => 3_600_000,
        _ => return None,
    };
    amount.checked_mul(unit_ms).filter(|_| amount > 0)
}

fn rule(policy: &Value) -> Result<Rule, Error> {
    let attributes = policy.get("Attributes").unwrap_or(&Value::Null);
    let kind = policy.get("Type").and_then(Value::as_str).unwrap_or_default();
    let rule = match kind {
        EXPIRATION => {
            let at = attributes.get("Timestamp").and_then(Value::as_str);
            let at = at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            at.map(|at| Rule::Expiration { at_ms: at.as_millisecond() })
        }
        EXPIRATION_NOTIFICATION => {
            span(attributes, "Before").map(|before_ms| Rule::ExpirationNotification { before_ms })
        }
        NO_CHANGE_NOTIFICATION => {
            span(attributes, "After").map(|after_ms| Rule::NoChangeNotification { after_ms })
        }
        _ => {
            return Err(Error::InvalidPolicyTypeException(
                "The policy type isn't supported. Parameter Store supports the following policy \
                 types: Expiration, ExpirationNotification, and NoChangeNotification."
                    .to_owned(),
            ));
        }
    };
    let version = policy.get("Version").and_then(Value::as_str);
    rule.filter(|_| version == Some("1.0")).ok_or_else(attribute_refused)
}

/// The policies of a request; `[]` and `[{}]` are none.
pub(crate) fn parse(env: &Env, text: &str, now: Timestamp) -> Result<Vec<PolicyRecord>, Error> {
    let parsed: Value = serde_json::from_str(text).map_err(|_| attribute_refused())?;
    let list = match &parsed {
        Value::Array(list) => list.as_slice(),
        object @ Value::Object(_) => std::slice::from_ref(object),
        _ => return Err(attribute_refused()),
    };
    let list = list.iter().filter(|policy| policy.as_object().is_none_or(|map| !map.is_empty()));
    let list: Vec<&Value> = list.collect();
    if list.len() > POLICIES_MAX {
        return Err(Error::PoliciesLimitExceededException(format!(
            "You specified more than the maximum number of allowed policies for the parameter. The \
             maximum is {POLICIES_MAX}."
        )));
    }
    let mut policies = Vec::with_capacity(list.len());
    let (mut expirations, mut notifications) = (0, 0);
    for policy in list {
        let kind = match rule(policy)? {
            Rule::Expiration { at_ms } if at_ms <= now.millis() => return Err(attribute_refused()),
            Rule::Expiration { .. } => {
                expirations += 1;
                EXPIRATION
            }
            Rule::ExpirationNotification { .. } => {
                notifications += 1;
                EXPIRATION_NOTIFICATION
            }
            Rule::NoChangeNotification { .. } => NO_CHANGE_NOTIFICATION,
        };
        policies.push(PolicyRecord {
            id: env.uuid().map_err(Fault::internal)?.to_string(),
            kind: kind.to_owned(),
            text: policy.to_string(),
            status: PENDING.to_owned(),
            created_ms: now.millis(),
        });
    }
    // Nothing expires that a notification could come before.
    if expirations > 1 || (notifications > 0 && expirations == 0) {
        return Err(conflict());
    }
    Ok(policies)
}

impl PolicyRecord {
    pub(crate) fn rule(&self) -> Option<Rule> {
        rule(&serde_json::from_str(&self.text).ok()?).ok()
    }

    /// The id of the job that enforces it beside a version.
    pub(crate) fn job_id(&self, version: i64) -> String {
        match self.kind.as_str() {
            NO_CHANGE_NOTIFICATION => format!("{}.{version}", self.id),
            _ => self.id.clone(),
        }
    }

    /// As answers show it.
    pub(crate) fn shown(&self) -> ParameterInlinePolicy {
        ParameterInlinePolicy {
            policy_text: Some(self.text.clone()),
            policy_type: Some(self.kind.clone()),
            policy_status: Some(self.status.clone()),
        }
    }
}

/// When a policy of a version falls due.
pub(crate) fn due(version: &VersionRecord, policy: &PolicyRecord) -> Option<Timestamp> {
    let expires = version.policies.iter().find_map(|policy| match policy.rule() {
        Some(Rule::Expiration { at_ms }) => Some(at_ms),
        _ => None,
    });
    let due_ms = match policy.rule()? {
        Rule::Expiration { at_ms } => at_ms,
        Rule::ExpirationNotification { before_ms } => expires?.saturating_sub(before_ms),
        Rule::NoChangeNotification { after_ms } => version.modified_ms.saturating_add(after_ms),
    };
    Some(Timestamp::from_millis(due_ms))
}

/// The policies of a version that wait and have fallen due, by their places, in the order in which
/// they did; the end of the parameter after all else of its time.
pub(crate) fn fallen_due(version: &VersionRecord, now: Timestamp) -> Vec<usize> {
    let waiting = version.policies.iter().enumerate().filter(|(_, one)| one.status == PENDING);
    let timed = waiting.filter_map(|(at, policy)| {
        let due_ms = due(version, policy)?.millis();
        Some((due_ms, policy.kind == EXPIRATION, at))
    });
    let mut fallen: Vec<_> = timed.filter(|(due_ms, _, _)| *due_ms <= now.millis()).collect();
    fallen.sort_unstable();
    fallen.into_iter().map(|(_, _, at)| at).collect()
}

/// The policies that a new version has: those sent with it, else those of the old one. The wait
/// for a change begins anew.
pub(crate) fn carried(old: &[PolicyRecord]) -> Vec<PolicyRecord> {
    let mut policies = old.to_vec();
    for policy in policies.iter_mut().filter(|policy| policy.kind == NO_CHANGE_NOTIFICATION) {
        PENDING.clone_into(&mut policy.status);
    }
    policies
}

/// Adds the jobs of a new version's policies. One that waits already is only written again.
pub(crate) fn schedule(
    batch: &mut Batch,
    place: Place<'_>,
    name: &str,
    version: &VersionRecord,
) -> Result<(), Fault> {
    for policy in version.policies.iter().filter(|policy| policy.status == PENDING) {
        let Some(due) = due(version, policy) else { continue };
        let payload = Due {
            account: place.account.to_owned(),
            region: place.region.to_owned(),
            name: name.to_owned(),
            policy: policy.id.clone(),
        };
        let payload = serde_json::to_string(&payload).map_err(Fault::internal)?;
        batch.schedule(&Job::new(JOB, &policy.job_id(version.version), due, payload));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use haechi_crypto::SystemRandom;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn parsed(text: &str) -> Result<Vec<PolicyRecord>, Error> {
        let env = Env::new(Arc::new(NOW), Arc::new(SystemRandom::new()));
        parse(&env, text, NOW)
    }

    fn expiration(at: &str) -> String {
        format!(r#"{{"Type":"Expiration","Version":"1.0","Attributes":{{"Timestamp":"{at}"}}}}"#)
    }

    #[test]
    fn both_documented_forms_of_a_time_are_read() {
        for (text, at_ms) in [
            ("2027-01-01T00:00:00.000Z", 1_798_761_600_000),
            ("2027-01-01T10:30:00.87+10:30:00", 1_798_761_600_870),
        ] {
            let policies = parsed(&format!("[{}]", expiration(text))).unwrap();
            assert_eq!(policies[0].rule(), Some(Rule::Expiration { at_ms }), "{text}");
        }
    }

    #[test]
    fn an_expiration_lies_ahead_and_there_is_one_at_most() {
        let ahead = expiration("2027-01-01T00:00:00Z");
        assert!(parsed(&format!("[{}]", expiration("2026-01-01T00:00:00Z"))).is_err());
        let twice = parsed(&format!("[{ahead},{ahead}]"));
        assert!(matches!(twice, Err(Error::IncompatiblePolicyException(_))));
    }

    #[test]
    fn a_notification_of_an_expiration_needs_one() {
        let notification = r#"{"Type":"ExpirationNotification","Version":"1.0",
            "Attributes":{"Before":"1","Unit":"Days"}}"#;
        let alone = parsed(&format!("[{notification}]"));
        assert!(matches!(alone, Err(Error::IncompatiblePolicyException(_))));
        let ahead = expiration("2027-01-01T00:00:00Z");
        assert_eq!(parsed(&format!("[{notification},{ahead}]")).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_policy_is_refused_by_its_kind() {
        let unknown = parsed(r#"[{"Type":"Rotation","Version":"1.0","Attributes":{}}]"#);
        assert!(matches!(unknown, Err(Error::InvalidPolicyTypeException(_))));
        for text in [
            "no JSON",
            "7",
            r#"[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"x","Unit":"Days"}}]"#,
            r#"[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"1","Unit":"Weeks"}}]"#,
            r#"[{"Type":"NoChangeNotification","Version":"2.0","Attributes":{"After":"1","Unit":"Days"}}]"#,
            r#"[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"0","Unit":"Days"}}]"#,
        ] {
            let refused = parsed(text);
            assert!(matches!(refused, Err(Error::InvalidPolicyAttributeException(_))), "{text}");
        }
        let one = r#"{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"1","Unit":"Hours"}}"#;
        assert_eq!(parsed(&format!("[{}]", [one; 10].join(","))).unwrap().len(), 10);
        let many = parsed(&format!("[{}]", [one; 11].join(",")));
        assert!(matches!(many, Err(Error::PoliciesLimitExceededException(_))));
    }

    #[test]
    fn empty_policies_are_none() {
        for text in ["[]", "[{}]", "{}"] {
            assert!(parsed(text).unwrap().is_empty(), "{text}");
        }
    }
}
