//! What a verified token says (RFC 7519 §4; OpenID Connect Core §2).

use serde_json::{Map, Value};

/// The claims of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// A claim, of whatever type.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// A claim that is a point in time, in seconds of Unix time, fractions cut off.
    pub fn time(&self, name: &str) -> Option<i64> {
        let value = self.claim(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// A claim that is a text, or several of them; `None` if it is anything else.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.claim(name)? {
            Value::Array(items) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Value::String(text) => Some(vec![text.clone()]),
            _ => None,
        }
    }

    /// All claims.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
