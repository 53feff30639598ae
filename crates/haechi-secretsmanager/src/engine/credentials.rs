//! The JSON of a secret that a rotator understands.

use std::collections::BTreeMap;

use haechi_wire::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::RotationError;

/// The members of a secret: texts, which may be secret, and others, which are kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(BTreeMap<String, Member>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Member {
    Text(Zeroizing<String>),
    Other(serde_json::Value),
}

impl Credentials {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Credentials, RotationError> {
        // The reason would quote the secret.
        serde_json::from_slice(bytes).map_err(|_| {
            RotationError(
                "The secret value is not a JSON object; rotation needs one, such as \
                 {\"engine\":\"postgres\",\"host\":…,\"username\":…,\"password\":…}."
                    .to_owned(),
            )
        })
    }

    /// A member that is a text, and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Member::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// As [`Self::text`], of a member that must be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn required(&self, name: &str) -> Result<&str, RotationError> {
        self.text(name).ok_or_else(|| RotationError(format!("The secret has no {name}.")))
    }

    /// A member that is a number, or a text that reads as one.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Member::Text(text) => text.parse().ok(),
            Member::Other(value) => value.as_u64(),
        }
    }

    /// A member that is true, or reads so.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Member::Text(text) => text.to_ascii_lowercase().parse().ok(),
            Member::Other(value) => value.as_bool(),
        }
    }

    /// The same with another text.
    #[must_use]
    pub fn with(mut self, name: &str, text: &str) -> Credentials {
        self.0.insert(name.to_owned(), Member::Text(Zeroizing::new(text.to_owned())));
        self
    }

    /// As JSON, for whoever is to make a target take it; without some members.
    pub fn json_without(&self, members: &[&str]) -> SecretString {
        let mut shown = self.clone();
        shown.0.retain(|name, _| !members.contains(&name.as_str()));
        shown.json()
    }

    /// As the value of a secret.
    pub(crate) fn json(&self) -> SecretString {
        SecretString(serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_kept() {
        let text = r#"{"engine":"postgres","host":"h","port":5432,"x":{"y":[1]},"password":"p"}"#;
        let credentials = Credentials::parse(text.as_bytes()).unwrap();
        assert_eq!(credentials.number("port"), Some(5432));
        assert_eq!(credentials.text("port"), None);
        let json = credentials.with("password", "q\"").json();
        let read: serde_json::Value = serde_json::from_str(&json.0).unwrap();
        let expected =
            r#"{"engine":"postgres","host":"h","port":5432,"x":{"y":[1]},"password":"q\""}"#;
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    }

    #[test]
    fn what_is_no_object_is_refused_without_being_quoted() {
        let error = Credentials::parse(b"hunter2").err().unwrap().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
