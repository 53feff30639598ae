//! AWS's words for input that breaks its model.
//!
//! `2 validation errors detected: Value '…' at 'tags.1.member.key' failed to satisfy constraint:
//! Member must have length less than or equal to 128; Value null at 'keyId' failed to …`.
//! The sentences follow responses recorded from KMS, Lambda, SNS, STS and EventBridge.

use crate::schema::{Kind, Schema};

/// What a missing required member breaks.
pub const NOT_NULL: &str = "Member must not be null";

/// One breach of one constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The value as shown: quoted, `null`, or empty where it is sensitive.
    pub value: String,
    /// Where it stands in the input.
    pub path: String,
    /// What it should have satisfied.
    pub constraint: String,
}

/// All breaches in one message.
pub fn message(violations: &[Violation]) -> String {
    let plural = if violations.len() == 1 { "" } else { "s" };
    let mut out = format!("{} validation error{plural} detected: ", violations.len());
    let mut told: Vec<&Violation> = violations.iter().collect();
    told.sort_by_cached_key(|violation| told_at(&violation.path));
    for (index, violation) in told.into_iter().enumerate() {
        if index > 0 {
            out.push_str("; ");
        }
        out.push_str("Value ");
        if !violation.value.is_empty() {
            out.push_str(&violation.value);
            out.push(' ');
        }
        out.push_str(&format!(
            "at '{}' failed to satisfy constraint: {}",
            violation.path, violation.constraint
        ));
    }
    out
}

/// The place of a breach among others. AWS tells them in the order of its validators, which is that
/// of a Java `HashMap` of the members' names: all recorded messages of several breaches (of IAM,
/// Lambda and EventBridge) are in it. Larger structures have larger maps, of which none is recorded.
fn told_at(path: &str) -> Vec<(u32, String)> {
    path.split('.')
        .map(|step| (step.parse().unwrap_or_else(|_| bucket(step)), step.to_owned()))
        .collect()
}

/// Where a `HashMap` of the usual 16 buckets keeps a name.
fn bucket(name: &str) -> u32 {
    let hash = name
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & 15
}

/// `Member must have length greater than or equal to 1`.
pub fn at_least(what: &str, bound: impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {bound}")
}

/// `Member must have length less than or equal to 128`.
pub fn at_most(what: &str, bound: impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {bound}")
}

/// Orders of enumerations that are recorded (from EventBridge) and not those of a Java `HashSet`,
/// which schemas have.
const RECORDED_ORDERS: [&[&str]; 2] = [
    &["BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY"],
    &["HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"],
];

/// What Java's byte buffers print as; AWS's messages really show it.
pub fn byte_buffer(length: impl std::fmt::Display) -> String {
    format!("java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]")
}

/// `Member must satisfy enum value set: [A, B]`.
pub fn enumeration(values: &[&str]) -> String {
    let is_recorded = |order: &&&[&str]| {
        order.len() == values.len() && values.iter().all(|value| order.contains(value))
    };
    let values = RECORDED_ORDERS.iter().find(is_recorded).map_or(values, |order| *order);
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// The constraints on the items of a collection, told of the collection as a whole.
pub fn item_constraint(subject: &str, item: &Schema) -> String {
    let mut all = Vec::new();
    if let Some((least, most)) = item.length {
        all.push(at_most("length", most));
        all.push(at_least("length", least));
    }
    if let Some((least, most)) = item.range {
        all.push(at_most("value", most));
        all.push(at_least("value", least));
    }
    if let Some(pattern) = &item.pattern {
        all.push(format!("Member must satisfy regular expression pattern: {}", pattern.text));
    }
    if let Kind::Enum(values) = item.kind {
        all.push(enumeration(values));
    }
    match (subject, all.as_slice()) {
        ("Member", [only]) => only.clone(),
        _ => format!("{subject} must satisfy constraint: [{}]", all.join(", ")),
    }
}

/// Whether a string meets its schema.
pub fn admits_string(schema: &Schema, value: &str) -> bool {
    let length = utf16_length(value);
    schema.length.is_none_or(|(least, most)| (least..=most).contains(&length))
        && schema.pattern.as_ref().is_none_or(|pattern| pattern.admits(value))
        && match schema.kind {
            Kind::Enum(values) => values.contains(&value),
            _ => true,
        }
}

/// A string's length as AWS counts it.
pub fn utf16_length(value: &str) -> u64 {
    if value.is_ascii() { value.len() as u64 } else { value.encode_utf16().count() as u64 }
}

/// `NumberOfBytes` → `numberOfBytes`; a leading run of capitals goes down as one word
/// (`MFASerial` → `mFASerial` is what AWS shows: only the first letter changes).
pub fn lower_camel(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enumerations_stand_as_recorded_where_that_is_known() {
        assert_eq!(
            enumeration(&["API_KEY", "OAUTH_CLIENT_CREDENTIALS", "BASIC"]),
            "Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]"
        );
        assert_eq!(
            enumeration(&["GET", "POST"]),
            "Member must satisfy enum value set: [GET, POST]"
        );
    }

    fn told(paths: &[&str]) -> String {
        let violation = |path: &&str| Violation {
            value: String::new(),
            path: (*path).to_owned(),
            constraint: "x".to_owned(),
        };
        let violations: Vec<Violation> = paths.iter().map(violation).collect();
        message(&violations)
    }

    fn assert_order(model: &[&str], recorded: &[&str]) {
        let message = told(model);
        let places: Vec<_> =
            recorded.iter().map(|path| message.find(&format!("'{path}'"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{message}");
    }

    #[test]
    fn breaches_are_told_in_the_order_that_is_recorded_of_aws() {
        // IAM's UpdateAccountPasswordPolicy and CreateOpenIDConnectProvider.
        assert_order(
            &["minimumPasswordLength", "maxPasswordAge", "passwordReusePrevention"],
            &["minimumPasswordLength", "passwordReusePrevention", "maxPasswordAge"],
        );
        assert_order(
            &["url", "clientIDList", "thumbprintList"],
            &["clientIDList", "thumbprintList", "url"],
        );
        // EventBridge's CreateApiDestination, Lambda's PublishLayerVersion.
        assert_order(&["httpMethod", "connectionArn"], &["connectionArn", "httpMethod"]);
        assert_order(
            &["compatibleArchitectures", "compatibleRuntimes"],
            &["compatibleRuntimes", "compatibleArchitectures"],
        );
        // Items in their own order.
        assert_order(
            &["tags.10.member.key", "tags.2.member.key"],
            &["tags.2.member.key", "tags.10.member.key"],
        );
    }
}
