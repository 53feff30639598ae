//! Records in a store: encoded (CBOR), sealed under the domain key with their storage key as
//! additional data (a swapped row does not open), read through a cache, written in transactions.

mod batch;
pub mod bytes;
mod kept;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use haechi_crypto::keyring::KeyringError;
use haechi_crypto::{Keyring, Random, RootKey};
use haechi_store::{Cond, Key, Kv, Op, Range, Rev, Store, StoreError, TxnError};
use haechi_wire::{Fault, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::cache::Cache;
use crate::cluster::format;
use crate::{FORMAT, Path, RecordFormat, cluster};
pub use batch::Batch;
use batch::{Target, encoded, join};
pub use kept::Page;
use rows::Under;
pub use rows::{Rekey, RootChange, rows_under};

/// What a record does not know of itself, kept so that an older program passes on what a newer one
/// wrote: `#[serde(flatten)] pub unknown: Unknown`.
pub type Unknown = BTreeMap<String, ciborium::Value>;

/// Something that is stored. Fields are named; new ones need a default, and `unknown` keeps those
/// of the future.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {}

/// A record as it was read, with what a later write needs to know that it is still so.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The record.
    pub value: T,
    key: Key,
    rev: Rev,
}

impl<T> Loaded<T> {
    /// Its place in a listing: what is listed from there begins with the record after it.
    pub fn cursor(&self) -> crate::paging::Cursor {
        crate::paging::Cursor(self.key.as_bytes().to_vec())
    }
}

/// A page of records in key order.
#[derive(Debug)]
pub struct Listing<T> {
    /// The records.
    pub items: Vec<Loaded<T>>,
    /// Where the next page starts, if there is one.
    pub next: Option<crate::paging::Cursor>,
}

/// The records of an installation.
pub struct Database {
    store: Arc<dyn Store>,
    under: ArcSwap<Under>,
    keyring: ArcSwap<Keyring>,
    /// Held while the keyring's rows are written.
    rows: tokio::sync::Mutex<()>,
    random: Arc<dyn Random>,
    cache: Cache,
    /// Keys of paths with hidden names.
    keys: kept::Keys,
    /// Moves with each commit that schedules a job.
    scheduled: watch::Sender<u64>,
    /// When the earliest of the jobs falls due that were scheduled since somebody asked.
    earliest_job: AtomicI64,
    /// In which format records are written.
    format: AtomicU32,
    /// Another node has removed what lies under this one's root key.
    root_is_gone: AtomicBool,
    /// The format after the first that this program knows.
    next_format: Option<Arc<dyn RecordFormat>>,
}

impl Database {
    /// Opens the records of `store`. A store without any gets a keyring of its own first.
    /// `epoch` is the least id of the newest domain key: an older store has been rolled back.
    ///
    /// # Errors
    /// If the store fails, its keyring does not open under `root`, or its records are written in a
    /// format that this program does not know.
    pub async fn open(
        store: Arc<dyn Store>,
        root: RootKey,
        random: Arc<dyn Random>,
        now: Timestamp,
        epoch: u32,
    ) -> Result<Database, Fault> {
        Database::open_knowing(store, root, random, now, epoch, None).await
    }

    /// The same, by a program that knows another format.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_knowing(
        store: Arc<dyn Store>,
        root: RootKey,
        random: Arc<dyn Random>,
        now: Timestamp,
        epoch: u32,
        next_format: Option<Arc<dyn RecordFormat>>,
    ) -> Result<Database, Fault> {
        let known = next_format.as_ref().map_or(FORMAT, |next| next.number());
        let format = AtomicU32::new(format::written(&*store, known).await?);
        let (under, keyring) = rows::open(&*store, root, &*random, now, epoch).await?;
        let (under, keyring) = (ArcSwap::from_pointee(under), ArcSwap::from_pointee(keyring));
        let rows = tokio::sync::Mutex::new(());
        let (cache, scheduled) = (Cache::new(), watch::Sender::new(0));
        let root_is_gone = AtomicBool::new(false);
        let keys = kept::Keys::new();
        Ok(Database {
            store,
            under,
            keyring,
            rows,
            random,
            cache,
            keys,
            scheduled,
            earliest_job: AtomicI64::new(i64::MIN),
            format,
            root_is_gone,
            next_format,
        })
    }

    /// The store beneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The newest format of records that this program knows.
    pub fn newest_format(&self) -> u32 {
        self.next_format.as_ref().map_or(FORMAT, |next| next.number())
    }

    /// In which format records are written.
    pub fn format(&self) -> u32 {
        self.format.load(Ordering::Acquire)
    }

    pub(crate) fn write_format(&self, format: u32) {
        self.format.store(format, Ordering::Release);
    }

    /// Writes records in the newest format from now on: no other program writes to the store.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn raise_format_alone(&self) -> Result<(), Fault> {
        let format = format::raise_alone(&*self.store, self.newest_format()).await?;
        self.write_format(format);
        Ok(())
    }

    /// The keys that seal; services wrap key material under it.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.keyring.load_full()
    }

    /// The bytes of a path in the store.
    fn key(&self, path: &Path) -> Key {
        self.keys.of(path, || {
            let keyring = self.keyring.load();
            Key::new(path.bytes(|context, name| keyring.hidden_name(context, name.as_bytes())))
        })
    }

    async fn open_row<T: Record>(&self, kv: &Kv) -> Result<T, Fault> {
        let open = || self.keyring.load().open_value(kv.key.as_bytes(), kv.value.as_bytes());
        let plain = match open() {
            // Another node has rotated the domain key, and its row was written first.
            Err(KeyringError::UnknownDomainKey { .. }) => {
                self.reload_keyring().await?;
                open()
            }
            opened => opened,
        };
        let plain = plain.map_err(Fault::internal)?;
        let stored = plain.expose();
        let record = self.next_format.as_ref().map_or(stored, |next| next.read(stored));
        ciborium::from_reader(record).map_err(Fault::internal)
    }

    /// The record at `path`.
    ///
    /// # Errors
    /// If the store fails, or the row is damaged.
    pub async fn load<T: Record>(&self, path: &Path) -> Result<Option<Loaded<T>>, Fault> {
        self.load_key(self.key(path)).await
    }

    pub(crate) async fn load_key<T: Record>(&self, key: Key) -> Result<Option<Loaded<T>>, Fault> {
        let (rows, _) = self.store.get(&[key], None).await.map_err(refused)?;
        let Some(kv) = rows.into_iter().flatten().next() else { return Ok(None) };
        let value = self.open_row(&kv).await?;
        Ok(Some(Loaded { value, key: kv.key, rev: kv.mod_rev }))
    }

    /// Up to `limit` records under `prefix`, after `from`.
    ///
    /// # Errors
    /// If the store fails, or a row is damaged.
    pub async fn list<T: Record>(
        &self,
        prefix: &Path,
        from: Option<&crate::paging::Cursor>,
        limit: u32,
    ) -> Result<Listing<T>, Fault> {
        let mut range = Range::prefix(self.key(prefix));
        if let Some(cursor) = from {
            let last = Key::new(cursor.0.clone());
            if range.contains(&last) {
                range = range.after(&last);
            }
        }
        let page = self.store.range(range, limit.max(1), None).await.map_err(refused)?;
        let mut items = Vec::with_capacity(page.kvs.len());
        for kv in &page.kvs {
            let (key, rev) = (kv.key.clone(), kv.mod_rev);
            items.push(Loaded { value: self.open_row(kv).await?, key, rev });
        }
        let last = page.kvs.last().filter(|_| page.more);
        let next = last.map(|kv| crate::paging::Cursor(kv.key.as_bytes().to_vec()));
        Ok(Listing { items, next })
    }

    /// Up to `limit` names of rows under `prefix`, after `from`, and whether more follow: of rows
    /// whose names tell what they are.
    pub(crate) async fn names(
        &self,
        prefix: &Path,
        from: Option<&Key>,
        limit: u32,
    ) -> Result<(Vec<Key>, bool), Fault> {
        let range = Range::prefix(self.key(prefix));
        let range = from.map_or(range.clone(), |from| range.after(from));
        let page = self.store.range(range, limit.max(1), None).await.map_err(refused)?;
        Ok((page.kvs.into_iter().map(|kv| kv.key).collect(), page.more))
    }

    /// Tells of each commit that schedules a job.
    pub(crate) fn scheduled(&self) -> watch::Receiver<u64> {
        self.scheduled.subscribe()
    }

    /// When the earliest of the jobs falls due that this process has scheduled since it was asked
    /// last, in Unix milliseconds.
    pub(crate) fn take_earliest_job(&self) -> i64 {
        self.earliest_job.swap(i64::MAX, Ordering::AcqRel)
    }

    /// How many records lie under `prefix`. Reads all of them, and opens none.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn count(&self, prefix: &Path) -> Result<usize, Fault> {
        let mut range = Range::prefix(self.key(prefix));
        let mut count = 0;
        loop {
            let page = self.store.range(range.clone(), 1000, None).await.map_err(refused)?;
            count += page.kvs.len();
            match page.kvs.last().filter(|_| page.more) {
                Some(last) => range = range.after(&last.key),
                None => return Ok(count),
            }
        }
    }

    /// Every record under `prefix`, page by page.
    ///
    /// # Errors
    /// If the store fails, or a row is damaged.
    pub async fn list_all<T: Record>(&self, prefix: &Path) -> Result<Vec<Loaded<T>>, Fault> {
        let mut all = Vec::new();
        let mut from = None;
        loop {
            let page = self.list(prefix, from.as_ref(), 1000).await?;
            all.extend(page.items);
            from = page.next;
            if from.is_none() {
                return Ok(all);
            }
        }
    }

    fn sealed(&self, key: Key, plain: Zeroizing<Vec<u8>>) -> Result<Op, Fault> {
        let keyring = self.keyring.load();
        let plain = match &self.next_format {
            Some(next) if self.format() >= next.number() => next.write(plain),
            _ => plain,
        };
        let sealed =
            keyring.seal(key.as_bytes(), &plain, &*self.random).map_err(Fault::internal)?;
        Ok(Op::put(key, sealed))
    }

    /// Writes all of a batch, or nothing. What was cached of its rows is stale once this returns.
    ///
    /// # Errors
    /// [`Fault::Conflict`] if something that the batch relies on has changed; or the store fails.
    pub async fn commit(&self, batch: Batch) -> Result<(), Fault> {
        if let Some(failure) = batch.failure {
            return Err(Fault::internal(failure));
        }
        let earliest_job = batch.earliest_job;
        let mut when: Vec<Cond> = batch.unchanged;
        when.extend(cluster::condition());
        let mut then = Vec::with_capacity(batch.writes.len());
        for (target, record) in batch.writes {
            let key = match target {
                Target::New(path) => {
                    let key = self.key(&path);
                    when.push(Cond::Absent(key.clone()));
                    key
                }
                Target::Any(path) => self.key(&path),
                Target::Loaded(key, rev) => {
                    when.push(Cond::ModRev(key.clone(), rev));
                    key
                }
            };
            let op = match record {
                Some(plain) => self.sealed(key, plain)?,
                None => Op::delete(key),
            };
            join(&mut then, op);
        }
        let keys: Vec<Key> = then.iter().map(|op| op.key().clone()).collect();
        if let Some((path, record)) = crate::intent::row(&keys) {
            let plain = encoded(&record).map_err(Fault::internal)?;
            then.push(self.sealed(self.key(&path), plain)?);
        }
        let outcome = self.store.txn(&when, then).await;
        // Also when it failed: the outcome of a write that was cut off is not known.
        for key in &keys {
            self.cache.invalidate(key.as_bytes());
        }
        if let Some(due_ms) = earliest_job {
            self.earliest_job.fetch_min(due_ms, Ordering::AcqRel);
        }
        outcome.map_err(not_committed)?;
        if earliest_job.is_some() {
            self.tell_scheduled();
        }
        Ok(())
    }

    /// Asks the store whether the duty under way is still this node's: to be done right before
    /// something that no commit guards, such as a change of another system.
    ///
    /// # Errors
    /// [`Fault::Conflict`] if another node may do it by now; or the store fails.
    pub async fn still_claimed(&self) -> Result<(), Fault> {
        let Some(condition) = cluster::condition() else { return Ok(()) };
        let outcome = self.store.txn(&[condition], Vec::new()).await;
        outcome.map(|_| ()).map_err(not_committed)
    }

    pub(crate) fn tell_scheduled(&self) {
        self.scheduled.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// From now on others write to the store, too: without a [`crate::Cluster`] that follows it,
    /// nothing that is cached decides.
    pub fn share(&self) {
        self.cache.freshness.share();
    }

    /// Whether only this process writes to the store.
    pub fn is_alone(&self) -> bool {
        self.cache.freshness.is_alone()
    }

    /// How old what is cached may be at the most; `None` where only this process writes.
    pub fn age(&self) -> Option<Duration> {
        self.cache.freshness.age()
    }

    /// Everything that was acknowledged before `moment` has been taken note of.
    pub(crate) fn prove_fresh(&self, moment: Instant) {
        self.cache.freshness.prove(moment);
    }

    /// Somebody has written a row.
    pub(crate) fn invalidate(&self, key: &[u8]) {
        self.cache.invalidate(key);
    }

    /// Forgets everything that is cached: after the store was changed beneath (`--dev` reset).
    pub fn forget(&self) {
        self.cache.clear();
        self.keys.clear();
        self.earliest_job.store(i64::MIN, Ordering::Release);
    }
}

fn refused(error: StoreError) -> Fault {
    match error {
        full @ (StoreError::DiskFull { .. } | StoreError::QuotaFull { .. }) => Fault::Unavailable {
            message: "The storage is full. Nothing was changed.",
            source: Box::new(full),
        },
        gone @ StoreError::Unavailable { .. } => Fault::Unavailable {
            message: "The storage does not answer. Nothing was changed.",
            source: Box::new(gone),
        },
        other => Fault::internal(other),
    }
}

fn not_committed(error: TxnError) -> Fault {
    match error {
        TxnError::Conflict(_) => Fault::Conflict,
        TxnError::Store(error) => refused(error),
    }
}

#[cfg(test)]
mod tests;
