//! Types of policies, what each takes, and AWS's own policies.
//!
//! Source: Organizations User Guide, "Quotas" and "Managing policies".

use std::sync::LazyLock;

use haechi_core::database::Unknown;
use haechi_organizations_model::Error;
use haechi_policy::{Document, Kind};
use serde_json::Value;

use crate::effective;
use crate::error::{constraint, malformed_policy};
use crate::store::PolicyRecord;

pub(crate) const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";
pub(crate) const RESOURCE_CONTROL: &str = "RESOURCE_CONTROL_POLICY";
const TAG: &str = "TAG_POLICY";

/// Policies of one organization, at most.
pub(crate) const POLICIES_MAX: usize = 1000;

/// What is so of a type of policies.
pub(crate) struct Rules {
    pub(crate) name: &'static str,
    /// How a policy is checked and enforced; `None`: it is a document whose effect on an account
    /// can be asked for.
    pub(crate) kind: Option<Kind>,
    /// Length of a policy in characters, at most.
    characters_max: usize,
    /// Policies on one target, at most.
    pub(crate) attached_max: usize,
}

static RULES: [Rules; 5] = [
    Rules {
        name: SERVICE_CONTROL,
        kind: Some(Kind::ServiceControl),
        // Twice as much since May 2026: What's New, "AWS Organizations increased SCP quotas".
        characters_max: 10_240,
        attached_max: 10,
    },
    Rules {
        name: RESOURCE_CONTROL,
        kind: Some(Kind::ResourceControl),
        characters_max: 5120,
        attached_max: 5,
    },
    Rules { name: TAG, kind: None, characters_max: 10_000, attached_max: 10 },
    Rules { name: "BACKUP_POLICY", kind: None, characters_max: 10_000, attached_max: 10 },
    Rules { name: "AISERVICES_OPT_OUT_POLICY", kind: None, characters_max: 2500, attached_max: 5 },
];

/// The rules of a type; `None` for those that haechi does not do.
pub(crate) fn rules(name: &str) -> Option<&'static Rules> {
    RULES.iter().find(|rules| rules.name == name)
}

/// What allows everything until something else is attached.
pub(crate) const FULL_ACCESS: &str = "p-FullAWSAccess";
/// The same of resource control policies; it cannot be taken off.
pub(crate) const RESOURCE_FULL_ACCESS: &str = "p-RCPFullAWSAccess";

static MANAGED: LazyLock<[PolicyRecord; 2]> = LazyLock::new(|| {
    let record = |id: &str, description: &str, kind: &str, content: &str| PolicyRecord {
        id: id.to_owned(),
        name: id.trim_start_matches("p-").to_owned(),
        description: description.to_owned(),
        kind: kind.to_owned(),
        content: content.to_owned(),
        tags: Vec::new(),
        updated_ms: 0,
        unknown: Unknown::new(),
    };
    [
        record(
            FULL_ACCESS,
            "Allows access to every operation",
            SERVICE_CONTROL,
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#,
        ),
        record(
            RESOURCE_FULL_ACCESS,
            "Allows access to every resource",
            RESOURCE_CONTROL,
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": "*",
      "Action": "*",
      "Resource": "*"
    }
  ]
}"#,
        ),
    ]
});

/// A policy of AWS's own.
pub(crate) fn managed(id: &str) -> Option<&'static PolicyRecord> {
    MANAGED.iter().find(|policy| policy.id == id)
}

/// AWS's own policies of a type.
pub(crate) fn managed_of(kind: &str) -> impl Iterator<Item = &PolicyRecord> {
    MANAGED.iter().filter(move |policy| policy.kind == kind)
}

/// The policy that enabling a type attaches to everything.
pub(crate) fn attached_by_default(kind: &str) -> Option<&'static str> {
    MANAGED.iter().find(|policy| policy.kind == kind).map(|policy| policy.id.as_str())
}

/// Refuses a document that is no policy of its type, or too long.
///
/// # Errors
/// As AWS. `Ok(false)` for one that is right and asks for what haechi does not do: the enforcement
/// of a tag policy.
pub(crate) fn check(rules: &Rules, content: &str) -> Result<bool, Error> {
    if content.chars().count() > rules.characters_max {
        let message =
            "You have exceeded the maximum policy size limit for the specified policy type.";
        return Err(constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message));
    }
    let Some(kind) = rules.kind else {
        let json: Value = serde_json::from_str(content).map_err(|_| malformed_policy())?;
        if !effective::is_policy(&json) {
            return Err(malformed_policy());
        }
        return Ok(rules.name != TAG || !mentions(&json, "enforced_for"));
    };
    Document::parse_current(content, kind).map_err(|_| malformed_policy())?;
    if kind == Kind::ResourceControl && !only_denies(content) {
        return Err(malformed_policy());
    }
    Ok(true)
}

/// Resource control policies that customers write may only deny, and only actions of a service that
/// they name.
fn only_denies(content: &str) -> bool {
    let Ok(json) = serde_json::from_str::<Value>(content) else { return false };
    let Some(statements) = json.get("Statement") else { return false };
    let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
    statements.iter().all(|statement| {
        let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let bare = |action: &Value| action.as_str() == Some("*");
        let named = statement.get("Action").is_some_and(|action| {
            !bare(action) && !action.as_array().is_some_and(|list| list.iter().any(bare))
        });
        denies && named
    })
}

fn mentions(json: &Value, key: &str) -> bool {
    match json {
        Value::Object(members) => {
            members.iter().any(|(name, value)| name == key || mentions(value, key))
        }
        Value::Array(items) => items.iter().any(|item| mentions(item, key)),
        _ => false,
    }
}
