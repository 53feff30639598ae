//! Keys and ranges of keys: bytes in lexicographic order.

use std::fmt;

use bytes::Bytes;

/// The name of a row. Ordered by its bytes; never empty in a write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Bytes);

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `self` begins with `prefix`.
    #[must_use]
    pub fn starts_with(&self, prefix: &Key) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The smallest key greater than this one: a range that starts here leaves `self` out.
    #[must_use]
    pub fn successor(&self) -> Key {
        let mut bytes = self.0.to_vec();
        bytes.push(0);
        Key(bytes.into())
    }

    /// The smallest key greater than every key that begins with `self`; `None` if there is none
    /// (an empty prefix, or only 0xff bytes).
    #[must_use]
    pub fn prefix_end(&self) -> Option<Key> {
        let mut bytes = self.0.to_vec();
        while let Some(last) = bytes.pop() {
            if let Some(next) = last.checked_add(1) {
                bytes.push(next);
                return Some(Key(bytes.into()));
            }
        }
        None
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Bytes> for Key {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

/// The keys from `start` (included) to `end` (excluded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first key, included.
    pub start: Key,
    /// The end, excluded; `None` is the end of the store.
    pub end: Option<Key>,
}

impl Range {
    /// From `start` (included) to `end` (excluded).
    pub fn new(start: impl Into<Key>, end: impl Into<Key>) -> Self {
        Self { start: start.into(), end: Some(end.into()) }
    }

    /// Every key that begins with `prefix`.
    pub fn prefix(prefix: impl Into<Key>) -> Self {
        let start = prefix.into();
        let end = start.prefix_end();
        Self { start, end }
    }

    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self { start: Key::default(), end: None }
    }

    /// What is left of this range after `key`.
    #[must_use]
    pub fn after(&self, key: &Key) -> Self {
        Self { start: key.successor(), end: self.end.clone() }
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        *key >= self.start && self.end.as_ref().is_none_or(|end| key < end)
    }

    /// Whether no key can lie in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_range_ends_where_the_prefix_ends() {
        let range = Range::prefix("/kms/");
        assert!(range.contains(&Key::from("/kms/")));
        assert!(range.contains(&Key::from("/kms/\u{10ffff}")));
        assert!(!range.contains(&Key::from("/kms0")));
        assert!(!range.contains(&Key::from("/kms")));
    }

    #[test]
    fn a_prefix_of_highest_bytes_reaches_the_end_of_the_store() {
        assert_eq!(Range::prefix(vec![0xff, 0xff]).end, None);
        assert_eq!(Key::from(vec![1, 0xff]).prefix_end(), Some(Key::from(vec![2])));
        assert_eq!(Range::prefix("").end, None);
    }

    #[test]
    fn nothing_lies_between_a_key_and_its_successor() {
        let key = Key::from("a");
        assert!(key < key.successor());
        assert!(!Range { start: key.successor(), end: None }.contains(&key));
        assert!(Range { start: key.successor(), end: None }.contains(&Key::from(vec![b'a', 0])));
    }

    #[test]
    fn debug_shows_text_and_escapes_the_rest() {
        assert_eq!(format!("{:?}", Key::from(vec![b'/', b'a', 0])), r#""/a\x00""#);
    }
}
