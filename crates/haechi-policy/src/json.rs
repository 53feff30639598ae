//! JSON that remembers the order of members and refuses a member that appears twice.
//!
//! "Individual elements must not contain multiple instances of the same key" (Grammar of the IAM
//! JSON policy language). A reader that keeps the last one would let a policy mean something else
//! than what a person reads.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::ParseError;

const DUPLICATE: &str = "duplicate member ";

/// A JSON value. Numbers and booleans keep the text that a condition compares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    /// A number or a boolean, as text.
    Scalar(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one JSON value; the reader stops at 128 levels.
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        serde_json::from_str(text).map_err(|error| {
            let detail = error.to_string();
            match detail.strip_prefix(DUPLICATE) {
                Some(rest) => {
                    let key = rest.rsplit_once(" at line ").map_or(rest, |(key, _)| key);
                    ParseError::DuplicateKey { key: key.to_owned() }
                }
                None => ParseError::InvalidJson { detail },
            }
        })
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("{DUPLICATE}{key}")));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_appears_twice_is_refused_by_name() {
        let error = Json::parse(r#"{"Effect":"Deny","Effect":"Allow"}"#).unwrap_err();
        assert_eq!(error, ParseError::DuplicateKey { key: "Effect".into() });
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
        let text = "[".repeat(100_000);
        assert!(matches!(Json::parse(&text), Err(ParseError::InvalidJson { .. })));
    }

    #[test]
    fn numbers_and_booleans_keep_their_text() {
        let json = Json::parse(r#"[true, 42, -1, 1.5]"#).unwrap();
        let texts = ["true", "42", "-1", "1.5"].map(|text| Json::Scalar(text.to_owned()));
        assert_eq!(json, Json::Array(texts.to_vec()));
    }
}
