//! What a transaction says, and the limits that every engine checks first.

use std::collections::BTreeSet;

use crate::{Key, LeaseId, Rev, StoreError, Value, limits};

/// A precondition, judged at the moment of the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cond {
    /// The row was last written by this revision: nobody wrote since it was read.
    /// `Rev::ZERO` means absent, as in etcd.
    ModRev(Key, Rev),
    /// The row was created by this revision: it is still the same row. `Rev::ZERO` means absent.
    CreateRev(Key, Rev),
    /// There is no such row.
    Absent(Key),
    /// There is such a row.
    Exists(Key),
    /// The row exists with this value.
    Equals(Key, Value),
    /// The lease has not ended.
    Held(LeaseId),
}

impl Cond {
    /// The row it speaks of; `None` for a lease.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::ModRev(key, _)
            | Self::CreateRev(key, _)
            | Self::Absent(key)
            | Self::Exists(key)
            | Self::Equals(key, _) => Some(key),
            Self::Held(_) => None,
        }
    }
}

/// A change to one row.
///
/// There is no "delete range": a transaction's size is bounded by what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Writes the row. A row written without a lease outlives the lease it had before.
    Put {
        /// Its name.
        key: Key,
        /// Its content.
        value: Value,
        /// The lease that it vanishes with.
        lease: Option<LeaseId>,
    },
    /// Removes the row; no effect if there is none.
    Delete {
        /// Its name.
        key: Key,
    },
}

impl Op {
    /// Writes a row that stays.
    pub fn put(key: impl Into<Key>, value: impl Into<Value>) -> Self {
        Self::Put { key: key.into(), value: value.into(), lease: None }
    }

    /// Writes a row that vanishes with `lease`.
    pub fn put_leased(key: impl Into<Key>, value: impl Into<Value>, lease: LeaseId) -> Self {
        Self::Put { key: key.into(), value: value.into(), lease: Some(lease) }
    }

    /// Removes a row.
    pub fn delete(key: impl Into<Key>) -> Self {
        Self::Delete { key: key.into() }
    }

    /// The row it changes.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// Checks a transaction against the limits. Every engine calls it before anything else.
///
/// # Errors
/// `TooManyOps`, `TooManyBytes`, `KeySize`, `DuplicateKey`.
pub fn check(when: &[Cond], then: &[Op]) -> Result<(), StoreError> {
    for count in [when.len(), then.len()] {
        if count > limits::TXN_OPS_MAX {
            return Err(StoreError::TooManyOps { count });
        }
    }
    let mut bytes = 0;
    for cond in when {
        let Some(key) = cond.key() else { continue };
        bytes += key_bytes(key)?;
        if let Cond::Equals(_, value) = cond {
            bytes += value.as_bytes().len();
        }
    }
    let (mut put, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for op in then {
        bytes += key_bytes(op.key())?;
        let fresh = match op {
            Op::Put { key, value, .. } => {
                bytes += value.as_bytes().len();
                put.insert(key) && !deleted.contains(key)
            }
            Op::Delete { key } => {
                deleted.insert(key);
                !put.contains(key)
            }
        };
        if !fresh {
            return Err(StoreError::DuplicateKey { key: op.key().clone() });
        }
    }
    if bytes > limits::TXN_BYTES_MAX {
        return Err(StoreError::TooManyBytes { bytes });
    }
    Ok(())
}

fn key_bytes(key: &Key) -> Result<usize, StoreError> {
    let bytes = key.as_bytes().len();
    if bytes == 0 || bytes > limits::KEY_BYTES_MAX {
        return Err(StoreError::KeySize { bytes });
    }
    Ok(bytes)
}
