//! The trait that every engine implements.

use std::{
    io::{Read, Write},
    time::Duration,
};

use async_trait::async_trait;

use crate::archive::Summary;
use crate::{Cond, Key, Kv, Lease, LeaseId, Op, Page, Range, Rev, StoreError, TxnError, Watch};

/// An ordered, transactional key-value store. Semantics are etcd's.
///
/// Reads without `at` see every transaction that was acknowledged before they began. A transaction
/// is acknowledged when it is as durable as the engine makes it (the embedded one: synced to disk).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The rows of `keys`, in their order, all at one revision, and that revision.
    /// `get(&[], None)` tells the store's revision.
    ///
    /// # Errors
    /// `Compacted` or `Future` for `at`; `TooManyKeys`; or the engine fails.
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError>;

    /// Up to `limit` rows of `range` in key order; 0 means the most that a page may hold. For the
    /// next page pass [`Page::next`] and `at` the page's revision.
    ///
    /// # Errors
    /// `Compacted` or `Future` for `at`; or the engine fails.
    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError>;

    /// If all of `when` hold, applies all of `then` at once and returns the new revision.
    /// A transaction that changes nothing returns the current revision. Revisions of transactions
    /// rise if one began after the other was acknowledged; those under way together may share one.
    ///
    /// # Errors
    /// `Conflict` if a precondition does not hold; the limits of [`crate::limits`];
    /// `DuplicateKey`; `LeaseNotFound`; or the engine fails. On every error but `OutcomeUnknown`
    /// and `Unanswered` nothing was written.
    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError>;

    /// Every change under `prefix` from revision `from` (included) on, in order, without end.
    /// `Rev::ZERO` means from the next revision on. To read and then follow without a gap: read at
    /// revision r, watch from `r.next()`; after a broken watch, from the last batch's `rev.next()`.
    ///
    /// The stream reports `Compacted` if `from` is not in the history (read again, watch anew),
    /// `Unavailable` if no server could be followed for too long (watch anew from where it ended),
    /// and `Closed` when the store is closed. With `Rev::ZERO` a distributed engine may tell what
    /// others wrote shortly before the call.
    fn watch(&self, prefix: Key, from: Rev) -> Watch;

    /// Grants a lease that lives for `ttl`. The grant takes a revision: the lease's id and fencing
    /// token. An engine with time of its own may round `ttl` up: [`Lease::ttl`] says what it is.
    ///
    /// # Errors
    /// `LeaseTtl` if `ttl` is under a millisecond; or the engine fails.
    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError>;

    /// Starts the lease's time to live anew.
    ///
    /// # Errors
    /// `LeaseNotFound` if it has ended; or the engine fails.
    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Ends the lease and removes its rows, in one revision.
    ///
    /// # Errors
    /// `LeaseNotFound` if it has ended; or the engine fails.
    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Ends the leases whose time has come. Every other operation does this first, so nobody sees
    /// an outlived row; a ticker calls it so that watchers learn of the end without traffic. In a
    /// distributed engine the servers do it, by their own time, and this does nothing.
    ///
    /// # Errors
    /// The engine fails.
    async fn expire(&self) -> Result<(), StoreError>;

    /// Writes all rows, as they stand at one revision, in the format of [`crate::archive`], while
    /// others go on reading and writing. Leases and their rows are left out: a claim does not
    /// outlive its holder. Flushes `writer`; syncing a file is the caller's part.
    ///
    /// # Errors
    /// `Io` if `writer` fails; or the engine fails.
    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError>;

    /// Reads what `export` wrote into this store, which must be new. All or nothing. Revisions go
    /// on from the export's; its history before is not readable. An embedded engine gives each row
    /// its revisions and version again; a distributed one the export's revision and version 1, for
    /// its servers count themselves.
    ///
    /// # Errors
    /// `NotEmpty`; `Archive` if the input is truncated, damaged or no export; `Io` if `reader`
    /// fails; or the engine fails. On each the store is unchanged.
    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError>;

    /// Finishes what was begun, then refuses everything (`Closed`). Closing again does nothing.
    ///
    /// # Errors
    /// The engine fails to put its files in order; what was acknowledged is durable all the same.
    async fn close(&self) -> Result<(), StoreError>;
}
