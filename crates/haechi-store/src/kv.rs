//! What a read returns: revisions, values, rows, pages.

use std::fmt;

use bytes::Bytes;

use crate::{Key, LeaseId, Range};

/// A revision of the whole store: one number per committed change, never reused, never lower.
/// An empty store is at [`Rev::ZERO`]. Where servers are shared with others, their changes take
/// numbers too: revisions rise, but not always by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rev(pub u64);

impl Rev {
    /// Before the first commit. In a watch: "from now on".
    pub const ZERO: Rev = Rev(0);

    /// The revision that follows.
    #[must_use]
    pub fn next(self) -> Rev {
        Rev(self.0.saturating_add(1))
    }
}

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The content of a row. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Value(Bytes);

impl Value {
    /// A value of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

/// A row as it stood at some revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kv {
    /// Its name.
    pub key: Key,
    /// Its content.
    pub value: Value,
    /// The revision that created it (since it was last absent).
    pub create_rev: Rev,
    /// The revision that last wrote it.
    pub mod_rev: Rev,
    /// How often it was written since it was created; 1 for a new row.
    pub version: u64,
    /// The lease that it vanishes with.
    pub lease: Option<LeaseId>,
}

/// One page of a range, all of it as it stood at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows, in key order.
    pub kvs: Vec<Kv>,
    /// Whether rows of the range follow.
    pub more: bool,
    /// The revision that was read. Ask for the next page `at` it.
    pub rev: Rev,
}

impl Page {
    /// The range of the next page of `range`; `None` after the last page.
    #[must_use]
    pub fn next(&self, range: &Range) -> Option<Range> {
        self.kvs.last().filter(|_| self.more).map(|kv| range.after(&kv.key))
    }
}
