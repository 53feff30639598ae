//! What is written together, encoded as it is added.

use haechi_store::{Cond, Key, Op, Rev};
use zeroize::Zeroizing;

use super::{Loaded, Record};
use crate::Path;

/// Changes that happen together or not at all.
#[derive(Default)]
pub struct Batch {
    pub(super) unchanged: Vec<Cond>,
    pub(super) writes: Vec<(Target, Option<Zeroizing<Vec<u8>>>)>,
    pub(super) failure: Option<EncodeError>,
    /// When the earliest job that it schedules falls due, in Unix milliseconds.
    pub(crate) earliest_job: Option<i64>,
}

/// Adds a write to those of a transaction, which takes one of each row: a row that is removed and
/// written, in whichever order, is written. So a job that falls due at the same time again stays.
pub(super) fn join(then: &mut Vec<Op>, op: Op) {
    match then.iter_mut().find(|there| there.key() == op.key()) {
        Some(there @ Op::Delete { .. }) => *there = op,
        Some(Op::Put { .. }) if matches!(op, Op::Delete { .. }) => {}
        _ => then.push(op),
    }
}

pub(super) fn encoded<T: Record>(record: &T) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(1024));
    ciborium::into_writer(record, &mut *plain)?;
    Ok(plain)
}

pub(super) type EncodeError = ciborium::ser::Error<std::io::Error>;

pub(super) enum Target {
    New(Path),
    Any(Path),
    Loaded(Key, Rev),
}

impl Batch {
    /// No changes yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn write<T: Record>(&mut self, target: Target, record: &T) {
        match encoded(record) {
            Ok(plain) => self.writes.push((target, Some(plain))),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Writes a record that must not exist yet.
    pub fn create<T: Record>(&mut self, path: Path, record: &T) {
        self.write(Target::New(path), record);
    }

    /// Writes a record, whatever was there.
    pub fn put<T: Record>(&mut self, path: Path, record: &T) {
        self.write(Target::Any(path), record);
    }

    /// Writes a record over the one that was read, which must still be the same.
    pub fn replace<T: Record, U>(&mut self, loaded: &Loaded<U>, record: &T) {
        self.write(Target::Loaded(loaded.key.clone(), loaded.rev), record);
    }

    /// Removes the record that was read, which must still be the same; a batch that writes it too
    /// writes it.
    pub fn remove<T>(&mut self, loaded: &Loaded<T>) {
        self.writes.push((Target::Loaded(loaded.key.clone(), loaded.rev), None));
    }

    /// Removes a record, if it is there.
    pub fn delete(&mut self, path: Path) {
        self.writes.push((Target::Any(path), None));
    }

    /// Demands that a record that was read, and is not written, is still the same.
    pub fn unchanged<T>(&mut self, loaded: &Loaded<T>) {
        self.unchanged.push(Cond::ModRev(loaded.key.clone(), loaded.rev));
    }
}
