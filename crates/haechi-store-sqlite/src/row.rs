//! One row of the table `log`: a key's state from one revision on.
//!
//! ```text
//! id      revision * 65536 + position in the transaction: ordered as things happened
//! sum     the first 8 bytes of SHA-256 over all other columns: a damaged row is never returned
//! ```

use aws_lc_rs::digest::{Context, SHA256};
use haechi_store::{Event, Key, Kv, LeaseId, Rev, Value};
use rusqlite::{Error, Row, types::Type};

/// Positions in one revision.
pub(crate) const POSITIONS: i64 = 1 << 16;

/// The columns that [`Version::read`] expects, in its order.
pub(crate) const COLUMNS: &str = "id, key, value, create_rev, version, lease, sum";

/// A key's state from a revision on; no value means that it was deleted.
pub(crate) struct Version {
    pub(crate) id: i64,
    pub(crate) key: Key,
    pub(crate) value: Option<Value>,
    pub(crate) create_rev: i64,
    pub(crate) version: i64,
    pub(crate) lease: Option<i64>,
}

impl Version {
    /// Reads a row of [`COLUMNS`] and checks its sum.
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, Error> {
        let id: i64 = row.get(0)?;
        let key = Key::new(row.get::<_, Vec<u8>>(1)?);
        let value = row.get::<_, Option<Vec<u8>>>(2)?.map(Value::new);
        let version = Self {
            id,
            key,
            value,
            create_rev: row.get(3)?,
            version: row.get(4)?,
            lease: row.get(5)?,
        };
        if version.sum() != row.get::<_, i64>(6)? {
            let detail = format!("the checksum of row {id} does not match");
            return Err(Error::FromSqlConversionFailure(6, Type::Integer, detail.into()));
        }
        Ok(version)
    }

    pub(crate) fn sum(&self) -> i64 {
        let mut digest = Context::new(&SHA256);
        let (key, value) = (self.key.as_bytes(), self.value.as_ref().map(Value::as_bytes));
        let lease = self.lease.unwrap_or(0);
        for number in [self.id, self.create_rev, self.version, lease, length(key)] {
            digest.update(&number.to_be_bytes());
        }
        digest.update(key);
        digest.update(&value.map_or(-1, length).to_be_bytes());
        digest.update(value.unwrap_or_default());
        let digest = digest.finish();
        digest.as_ref().first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    }

    pub(crate) fn rev(&self) -> Rev {
        rev_of(self.id)
    }

    /// The row; `None` if it was deleted.
    pub(crate) fn into_kv(self) -> Option<Kv> {
        let mod_rev = self.rev();
        Some(Kv {
            key: self.key,
            value: self.value?,
            create_rev: rev(self.create_rev),
            mod_rev,
            version: self.version.unsigned_abs(),
            lease: self.lease.map(|lease| LeaseId(rev(lease))),
        })
    }

    pub(crate) fn into_event(self) -> Event {
        let key = self.key.clone();
        self.into_kv().map_or(Event::Delete { key }, Event::Put)
    }
}

/// SQLite's integers are signed; revisions and counts never come near the difference.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn rev(number: i64) -> Rev {
    Rev(number.unsigned_abs())
}

/// The first id of a revision.
pub(crate) fn first_id(rev: Rev) -> i64 {
    int(rev.0).saturating_mul(POSITIONS)
}

/// The last id of a revision.
pub(crate) fn last_id(rev: Rev) -> i64 {
    first_id(rev).saturating_add(POSITIONS - 1)
}

pub(crate) fn rev_of(id: i64) -> Rev {
    rev(id / POSITIONS)
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}
