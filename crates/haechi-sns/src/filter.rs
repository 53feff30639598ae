//! Filter policies: which messages a subscription wants (pure).
//!
//! The language is that of event patterns; the limits are SNS's own.
//!
//! Source: Developer Guide, "Amazon SNS subscription filter policies"; recordings.

use std::collections::BTreeMap;

use haechi_rules::{Pattern, no_json};
use serde_json::{Map, Value};

use crate::Attribute;

/// Names at the top of a policy, at most.
const KEYS_MAX: usize = 5;

/// Combinations of values, at most.
const COMBINATIONS_MAX: usize = 150;

/// What a policy looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Attributes,
    Body,
}

impl Scope {
    /// By its name; attributes where none was set.
    pub(crate) fn named(name: Option<&str>) -> Scope {
        if name == Some("MessageBody") { Scope::Body } else { Scope::Attributes }
    }
}

/// Which messages are wanted.
#[derive(Debug)]
pub(crate) struct Filter {
    scope: Scope,
    pattern: Pattern,
}

impl Filter {
    /// Reads a policy; answers why it is none.
    pub(crate) fn parse(text: &str, scope: Scope) -> Result<Filter, String> {
        let policy: Value = serde_json::from_str(text).map_err(|error| {
            let why = no_json(text.as_bytes()).unwrap_or_else(|| error.to_string());
            format!("failed to parse JSON. {why}")
        })?;
        let Value::Object(fields) = &policy else {
            return Err("failed to parse JSON. The policy is not an object".to_owned());
        };
        let pattern = Pattern::from_json(&policy).map_err(|error| told(&error))?;
        if fields.len() > KEYS_MAX {
            return Err(format!("Filter policy can not have more than {KEYS_MAX} keys"));
        }
        if scope == Scope::Attributes && is_nested(fields) {
            return Err(
                "Filter policy scope MessageAttributes does not support nested filter policy"
                    .to_owned(),
            );
        }
        if combinations(fields, 1, 1) > COMBINATIONS_MAX {
            return Err("Filter policy is too complex".to_owned());
        }
        Ok(Filter { scope, pattern })
    }

    /// Whether a message is wanted.
    pub(crate) fn wants(&self, attributes: &BTreeMap<String, Attribute>, body: &str) -> bool {
        match self.scope {
            Scope::Attributes => {
                let fields = attributes
                    .iter()
                    .filter_map(|(name, attribute)| Some((name.clone(), value(attribute)?)));
                self.pattern.matches(&Value::Object(fields.collect()))
            }
            Scope::Body => {
                serde_json::from_str::<Value>(body).is_ok_and(|body| self.pattern.matches(&body))
            }
        }
    }
}

/// A reason in SNS's words.
fn told(error: &haechi_rules::PatternError) -> String {
    // Without the place, which is none in the text that the caller wrote.
    error.reason().to_owned()
}

/// An attribute as policies see it; a binary one they do not.
fn value(attribute: &Attribute) -> Option<Value> {
    let text = &attribute.value;
    match attribute.data_type.split('.').next()? {
        "Number" => serde_json::from_str(text).ok(),
        "String" if attribute.data_type == "String.Array" => {
            let array = serde_json::from_str::<Value>(text).ok().filter(Value::is_array);
            Some(array.unwrap_or_else(|| Value::String(text.clone())))
        }
        "String" => Some(Value::String(text.clone())),
        _ => None,
    }
}

fn is_nested(fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(name, value)| match value {
        Value::Object(_) => true,
        Value::Array(alternatives) if name == "$or" => {
            alternatives.iter().filter_map(Value::as_object).any(is_nested)
        }
        _ => false,
    })
}

/// Values of each name, times how deep it lies, multiplied; alternatives are added.
fn combinations(fields: &Map<String, Value>, depth: usize, so_far: usize) -> usize {
    fields.iter().fold(so_far, |total, (name, value)| match value {
        Value::Object(inner) => combinations(inner, depth.saturating_add(1), total),
        Value::Array(alternatives) if name == "$or" => alternatives
            .iter()
            .filter_map(Value::as_object)
            .fold(0_usize, |sum, inner| sum.saturating_add(combinations(inner, depth, total))),
        Value::Array(values) => total.saturating_mul(values.len()).saturating_mul(depth),
        _ => total,
    })
}

#[cfg(test)]
mod tests;
