//! Bytes in records: `#[serde(with = "haechi_core::database::bytes")]`. Without it a list of bytes
//! is a list of numbers, nearly twice as long as they are. What was written so is read as well.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// Writes bytes as bytes.
///
/// # Errors
/// Whatever the serializer answers.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads bytes, or a list of numbers.
///
/// # Errors
/// If it is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(Bytes)
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Old {
        value: Vec<u8>,
        #[serde(flatten)]
        unknown: crate::database::Unknown,
    }

    #[derive(Serialize, Deserialize)]
    struct New {
        #[serde(with = "super")]
        value: Vec<u8>,
        #[serde(flatten)]
        unknown: crate::database::Unknown,
    }

    #[test]
    fn bytes_take_as_much_as_they_are_and_those_of_old_are_read() {
        let (value, unknown) = (vec![200; 60_000], crate::database::Unknown::new());
        let mut old = Vec::new();
        ciborium::into_writer(&Old { value: value.clone(), unknown }, &mut old).unwrap();
        let read: New = ciborium::from_reader(&*old).unwrap();
        assert_eq!(read.value, value);
        let mut new = Vec::new();
        ciborium::into_writer(&read, &mut new).unwrap();
        assert!(old.len() > 120_000 && new.len() < 60_050, "{} {}", old.len(), new.len());
        let read: New = ciborium::from_reader(&*new).unwrap();
        assert_eq!(read.value, value);
    }
}
