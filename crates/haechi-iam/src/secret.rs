//! Secrets that wipe themselves: stored as text, never printed.

use haechi_wire::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret access key in a record. Has no `Debug`; its memory is zeroed when it is dropped.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Secret(SecretString(text)))
    }
}
