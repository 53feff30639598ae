//! Everything that can go wrong, with the data to act on it.

use std::{io, path::PathBuf};

use crate::{Key, LeaseId, Rev, limits};

/// A precondition did not hold; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("precondition {index} did not hold at revision {rev}")]
pub struct Conflict {
    /// Which precondition failed first (index into `when`).
    pub index: usize,
    /// The revision that it was judged at.
    pub rev: Rev,
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum TxnError {
    /// A precondition did not hold: read again and decide again.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the store failed or refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the quota, is full. Nothing was written; reads still work, and writes will
    /// when there is space.
    #[error("no space left for {path}: free some space; nothing was written and reads still work")]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// A file is not what was written. It is left as it is.
    #[error(
        "{path} is corrupt ({detail}): stop, keep a copy of the file, and restore from a backup; \
         nothing was changed"
    )]
    Corrupt {
        /// The damaged file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file was written by a newer version of this program.
    #[error("{path} has format {found}, this program knows up to {known}: use a newer version")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known.
        known: i64,
    },
    /// Another process holds the data directory.
    #[error("{path} is in use by {holder}: stop it, or choose another data directory")]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who holds it, as far as the lock file says.
        holder: String,
    },
    /// The revision is older than the history that is kept.
    #[error(
        "revision {asked} is compacted, the oldest readable is {oldest}: read again from there"
    )]
    Compacted {
        /// The revision that was asked for.
        asked: Rev,
        /// The oldest revision that can be read; a watch may start after it.
        oldest: Rev,
    },
    /// The revision does not exist yet.
    #[error("revision {asked} is in the future, the store is at {current}")]
    Future {
        /// The revision that was asked for.
        asked: Rev,
        /// The store's revision.
        current: Rev,
    },
    /// Too many preconditions or operations in one transaction.
    #[error(
        "{count} operations or preconditions in one transaction, at most {} are allowed",
        limits::TXN_OPS_MAX
    )]
    TooManyOps {
        /// How many there were.
        count: usize,
    },
    /// Too many bytes in one transaction.
    #[error("{bytes} bytes in one transaction, at most {} are allowed", limits::TXN_BYTES_MAX)]
    TooManyBytes {
        /// How many there were.
        bytes: usize,
    },
    /// Too many keys in one `get`.
    #[error("{count} keys in one get, at most {} are allowed", limits::GET_KEYS_MAX)]
    TooManyKeys {
        /// How many there were.
        count: usize,
    },
    /// A key is empty or too long.
    #[error("a key has {bytes} bytes, 1 to {} are allowed", limits::KEY_BYTES_MAX)]
    KeySize {
        /// Its length.
        bytes: usize,
    },
    /// A transaction puts a key that it names in another operation too.
    #[error("key {key} is put and named again in the same transaction")]
    DuplicateKey {
        /// The key.
        key: Key,
    },
    /// The lease has ended or never was.
    #[error("lease {lease} does not exist (any more)")]
    LeaseNotFound {
        /// The lease.
        lease: LeaseId,
    },
    /// A lease needs a time to live.
    #[error("a lease needs a time to live of at least a millisecond")]
    LeaseTtl,
    /// An import needs a new store.
    #[error("the store is not empty (revision {rev}): import into a new one")]
    NotEmpty {
        /// The revision that the store is at.
        rev: Rev,
    },
    /// The import is not a complete, undamaged export. Nothing was imported.
    #[error("this is not a complete export ({detail}): nothing was imported; use another backup")]
    Archive {
        /// What was found.
        detail: String,
    },
    /// Reading or writing failed; nothing was changed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory; for an export or import, what it is.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The database engine failed; nothing was changed.
    #[error("{path}: {detail}")]
    Engine {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// A sync to disk failed, so whether the transaction survives a crash is unknown. The store
    /// has stopped writing: open it again and read before you retry.
    #[error("{path}: the disk did not confirm a write ({detail}); check the disk, then restart")]
    OutcomeUnknown {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// No server of the store answers, or none that has a majority behind it. Nothing was written.
    #[error(
        "the store at {endpoint} is not available ({detail}): see that a majority of its servers \
         runs and can be reached, then retry; nothing was written"
    )]
    Unavailable {
        /// Whom we asked last.
        endpoint: String,
        /// What came instead of an answer.
        detail: String,
    },
    /// A write was sent and no answer came for as long as we may wait. It may have been done, or be
    /// done yet: read before you write it again.
    #[error(
        "the store at {endpoint} did not answer a write ({detail}), so it may or may not be done: \
         read before you retry"
    )]
    Unanswered {
        /// Whom we asked last.
        endpoint: String,
        /// What came instead of an answer.
        detail: String,
    },
    /// The servers refuse writes because their quota of space is used up. Nothing was written, and
    /// reads still work.
    #[error(
        "the store at {endpoint} has used up its quota of space: compact and defragment it, or \
         raise `--quota-backend-bytes`, then `etcdctl alarm disarm`; nothing was written and reads \
         still work"
    )]
    QuotaFull {
        /// Whom we asked.
        endpoint: String,
    },
    /// A server refuses us, or our settings cannot work.
    #[error("{endpoint}: {detail}: correct the store's user, certificates or URLs")]
    Denied {
        /// Whom we asked.
        endpoint: String,
        /// What it said.
        detail: String,
    },
    /// A server has a version that is known to lose data.
    #[error("{endpoint} runs version {found}, which can lose data: upgrade it to {needed}")]
    TooOld {
        /// The server.
        endpoint: String,
        /// Its version.
        found: String,
        /// What it takes.
        needed: &'static str,
    },
    /// The store beneath is not the one that was opened.
    #[error("the store at {endpoint} was replaced ({detail}): restart")]
    Replaced {
        /// Whom we asked.
        endpoint: String,
        /// How we know.
        detail: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}
