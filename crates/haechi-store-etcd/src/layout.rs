//! Where rows lie in etcd, and how etcd's revisions become the store's.
//!
//! ```text
//! PREFIX/m               the master row: format, generation, first revision
//! PREFIX/d/GENERATION/…  the rows, under the keys that the caller gave
//! PREFIX/l/LEASE         one row per lease, which vanishes with it: what `Cond::Held` looks at
//! PREFIX/c               written by each grant of a lease, for the revision that becomes its id
//! PREFIX/t/CLIENT/SLOT   the last write of each of a client's slots (slot.rs)
//! PREFIX/h/LEASE         an export in progress and the revision that it reads (compact.rs)
//! ```
//!
//! Revisions: etcd counts from 1 and counts everybody's writes. The store's revision r is etcd's
//! revision minus that of the last write to the master row, plus the first revision that this row
//! names: 0 for a new store, the export's for an imported one. So a store's revisions rise, begin at
//! 0, go on after a move from another engine, and have gaps where others wrote to the same etcd.
//! What an import wrote before that moment all counts as written at the first revision.

use bytes::{BufMut, Bytes, BytesMut};
use haechi_store::{Key, Kv, LeaseId, Range, Rev, StoreError, Value};

use crate::message::Row;

const FORMAT: i64 = 1;

/// What the master row says, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// etcd's revision of the master row.
    pub base: i64,
    /// The store's revision there.
    pub first: u64,
    /// Which rows count.
    pub generation: u32,
}

impl Epoch {
    /// The master row's value.
    pub(crate) fn value(first: u64, generation: u32) -> Bytes {
        format!("haechi-store {FORMAT} first {first} generation {generation}").into()
    }

    /// Reads the master row.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let path = || String::from_utf8_lossy(&row.key).into_owned().into();
        let text = String::from_utf8_lossy(&row.value);
        let words: Vec<&str> = text.split(' ').collect();
        let format = match words.as_slice() {
            ["haechi-store", format, ..] => format.parse().ok(),
            _ => None,
        };
        if let Some(found) = format.filter(|format| *format > FORMAT) {
            return Err(StoreError::Newer { path: path(), found, known: FORMAT });
        }
        let numbers = match words.as_slice() {
            [_, _, "first", first, "generation", generation] => {
                first.parse().ok().zip(generation.parse().ok())
            }
            _ => None,
        };
        match (format, numbers) {
            (Some(_), Some((first, generation))) => {
                Ok(Self { base: row.mod_revision, first, generation })
            }
            _ => Err(StoreError::Corrupt {
                path: path(),
                detail: "the master row is not one of haechi's".to_owned(),
            }),
        }
    }

    /// The store's revision for one of etcd's.
    pub(crate) fn rev(&self, revision: i64) -> Rev {
        let since = u64::try_from(revision.saturating_sub(self.base)).unwrap_or(0);
        Rev(self.first.saturating_add(since))
    }

    /// etcd's revision for one of the store's; `None` for those before the first.
    pub(crate) fn revision(&self, rev: Rev) -> Option<i64> {
        let since = rev.0.checked_sub(self.first)?;
        self.base.checked_add(i64::try_from(since).ok()?)
    }
}

/// The keys of one store.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    prefix: Bytes,
}

impl Layout {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: Bytes::copy_from_slice(prefix.as_bytes()) }
    }

    pub(crate) fn master(&self) -> Bytes {
        self.named("/m")
    }

    pub(crate) fn grants(&self) -> Bytes {
        self.named("/c")
    }

    pub(crate) fn slots(&self) -> Bytes {
        self.named("/t/")
    }

    pub(crate) fn slot(&self, client: i64, number: u64) -> Bytes {
        self.named(&format!("/t/{client:016x}/{number:x}"))
    }

    pub(crate) fn lease(&self, lease: i64) -> Bytes {
        self.named(&format!("/l/{lease:016x}"))
    }

    pub(crate) fn exports(&self) -> Bytes {
        self.named("/h/")
    }

    pub(crate) fn export(&self, lease: i64) -> Bytes {
        self.named(&format!("/h/{lease:016x}"))
    }

    /// What the rows of one generation begin with.
    pub(crate) fn generation(&self, generation: u32) -> Bytes {
        self.named(&format!("/d/{generation:08x}/"))
    }

    /// A row's key in etcd.
    pub(crate) fn row(&self, epoch: &Epoch, key: &Key) -> Bytes {
        let start = self.generation(epoch.generation);
        let mut bytes = BytesMut::with_capacity(start.len() + key.as_bytes().len());
        bytes.put(start);
        bytes.put(key.as_bytes());
        bytes.freeze()
    }

    /// A range of rows in etcd: start, and end (excluded).
    pub(crate) fn range(&self, epoch: &Epoch, range: &Range) -> (Bytes, Bytes) {
        let end = match &range.end {
            Some(end) => self.row(epoch, end),
            None => end_of(&self.generation(epoch.generation)),
        };
        (self.row(epoch, &range.start), end)
    }

    /// A row as the caller sees it.
    pub(crate) fn kv(&self, epoch: &Epoch, row: &Row) -> Kv {
        Kv {
            key: self.key(epoch, &row.key),
            value: Value::new(row.value.clone()),
            create_rev: epoch.rev(row.create_revision),
            mod_rev: epoch.rev(row.mod_revision),
            version: u64::try_from(row.version).unwrap_or(0),
            lease: (row.lease != 0).then(|| LeaseId(epoch.rev(row.lease))),
        }
    }

    /// A key as the caller sees it.
    pub(crate) fn key(&self, epoch: &Epoch, key: &Bytes) -> Key {
        let start = self.generation(epoch.generation).len();
        Key::new(key.slice(start.min(key.len())..))
    }

    fn named(&self, name: &str) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.prefix.len() + name.len());
        bytes.put(&*self.prefix);
        bytes.put(name.as_bytes());
        bytes.freeze()
    }
}

/// The end of all keys that begin with `prefix`, which does not end in 0xff.
pub(crate) fn end_of(prefix: &Bytes) -> Bytes {
    let end = Key::new(prefix.clone()).prefix_end().unwrap_or_default();
    Bytes::copy_from_slice(end.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(value: &[u8]) -> Row {
        Row {
            key: "p/m".into(),
            value: Bytes::copy_from_slice(value),
            mod_revision: 40,
            ..Row::default()
        }
    }

    #[test]
    fn revisions_begin_where_the_master_row_says() {
        let epoch = Epoch::read(&master(&Epoch::value(6, 1))).unwrap();
        assert_eq!(epoch, Epoch { base: 40, first: 6, generation: 1 });
        assert_eq!((epoch.rev(40), epoch.rev(41), epoch.rev(7)), (Rev(6), Rev(7), Rev(6)));
        assert_eq!((epoch.revision(Rev(6)), epoch.revision(Rev(7))), (Some(40), Some(41)));
        assert_eq!(epoch.revision(Rev(5)), None);
    }

    #[test]
    fn a_newer_format_and_foreign_rows_are_refused() {
        let newer = Epoch::read(&master(b"haechi-store 2 whatever"));
        assert!(matches!(newer, Err(StoreError::Newer { found: 2, known: 1, .. })), "{newer:?}");
        for foreign in [&b""[..], b"{}", b"haechi-store 1 first x generation 0", b"haechi-store"] {
            let answer = Epoch::read(&master(foreign));
            assert!(matches!(answer, Err(StoreError::Corrupt { .. })), "{answer:?}");
        }
    }

    #[test]
    fn a_range_without_end_stays_in_its_generation() {
        let (layout, epoch) = (Layout::new("p"), Epoch { base: 1, first: 0, generation: 2 });
        let (start, end) = layout.range(&epoch, &Range::all());
        assert_eq!((&start[..], &end[..]), (&b"p/d/00000002/"[..], &b"p/d/000000020"[..]));
        let key = Key::from("/a");
        let row = layout.row(&epoch, &key);
        assert_eq!((&row[..], layout.key(&epoch, &row)), (&b"p/d/00000002//a"[..], key));
    }
}
