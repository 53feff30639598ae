//! The keyring's rows, and how the root key above them is changed while everything goes on.
//!
//! ```text
//! /keyring/<name of the root key>/domain/0000000001    domain keys, wrapped under that root key
//! /keyring/<name of the root key>/naming
//! /keyring/domain/…, /keyring/naming                   the same from before root keys had names
//! ```
//!
//! To change the root key, the rows are written a second time, under the new one. Then the caller
//! replaces `seal.json`, in one rename: that is the moment. Until it the old root key opens the
//! store, from it on the new one, and rows of the other are leftovers.
//!
//! Of several nodes each has a `seal.json`, so the moment comes for one after the other:
//!
//! ```text
//! /cluster/rekey    from which root key to which; while it is there, no domain key is rotated,
//!                   so that the rows under both stay the same
//! ```
//! Once all have gone over, the old rows and this one are removed. A node that is behind then finds
//! nothing under its root key, says so and ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use haechi_crypto::keyring::KeyringError;
use haechi_crypto::{Keyring, Random, RootKey, WrappedKey};
use haechi_store::{Cond, Key, Kv, Op, Range, Store};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::MutexGuard;

use super::{Database, not_committed, refused};

const KEYRING: &str = "/keyring/";

/// The row of a change that not all nodes have made.
const CHANGE: &str = "/cluster/rekey";

/// Rows that one transaction writes; a store takes 100 operations.
const ROWS_PER_TXN: usize = 90;

/// A root key, and where the rows under it lie.
pub(super) struct Under {
    root: Arc<RootKey>,
    prefix: String,
}

impl Under {
    fn new(root: RootKey) -> Result<Under, Fault> {
        let prefix = format!("{KEYRING}{}/", root.id().map_err(Fault::internal)?);
        Ok(Under { root: Arc::new(root), prefix })
    }

    /// Whether a row lies under it.
    fn holds(&self, key: &Key) -> bool {
        match self.prefix.as_str() {
            KEYRING => is_unnamed(key),
            prefix => key.as_bytes().starts_with(prefix.as_bytes()),
        }
    }

    fn key(&self, row: &WrappedKey) -> Key {
        Key::new(format!("{}{}", self.prefix, row.storage_name()).into_bytes())
    }
}

/// Of the rows under `/keyring/` those that a root key opens; all of them if it opens none, for the
/// error.
///
/// # Errors
/// When the cryptographic library fails.
pub fn rows_under<'a>(root: &RootKey, rows: &'a [Kv]) -> Result<Vec<&'a Kv>, Fault> {
    let named = format!("{KEYRING}{}/", root.id().map_err(Fault::internal)?);
    let under = |prefix: &str| -> Vec<&Kv> {
        rows.iter().filter(|row| row.key.as_bytes().starts_with(prefix.as_bytes())).collect()
    };
    let named = under(&named);
    if !named.is_empty() {
        return Ok(named);
    }
    let unnamed: Vec<&Kv> = rows.iter().filter(|row| is_unnamed(&row.key)).collect();
    Ok(if unnamed.is_empty() { rows.iter().collect() } else { unnamed })
}

fn is_unnamed(key: &Key) -> bool {
    key.as_bytes() == b"/keyring/naming" || key.as_bytes().starts_with(b"/keyring/domain/")
}

/// Reads the keyring that `root` opens; makes one where the store has none at all.
pub(super) async fn open(
    store: &dyn Store,
    root: RootKey,
    random: &dyn Random,
    now: Timestamp,
    epoch: u32,
) -> Result<(Under, Keyring), Fault> {
    let found = store.range(Range::prefix(KEYRING), 0, None).await.map_err(refused)?.kvs;
    let mut under = Under::new(root)?;
    if found.is_empty() && epoch > 0 {
        return Err(Fault::internal(EMPTY));
    }
    if found.is_empty() {
        let (keyring, rows) =
            Keyring::create(&under.root, now.millis(), random).map_err(Fault::internal)?;
        let when: Vec<Cond> = rows.iter().map(|row| Cond::Absent(under.key(row))).collect();
        store.txn(&when, puts(&under, &rows)).await.map_err(not_committed)?;
        return Ok((under, keyring));
    }
    let rows = rows_under(&under.root, &found)?;
    if !rows.iter().any(|row| is_unnamed(&row.key) || under.holds(&row.key)) {
        return Err(Fault::internal(UNDER_ANOTHER));
    }
    let keyring = Keyring::open(&under.root, rows.iter().map(|row| row.value.as_bytes()), epoch)
        .map_err(Fault::internal)?;
    if rows.first().is_some_and(|row| is_unnamed(&row.key)) {
        KEYRING.clone_into(&mut under.prefix);
    }
    Ok((under, keyring))
}

fn puts(under: &Under, rows: &[WrappedKey]) -> Vec<Op> {
    rows.iter().map(|row| Op::put(under.key(row), row.as_bytes().to_vec())).collect()
}

impl Database {
    /// The root key that the keyring is wrapped under.
    pub fn root(&self) -> Arc<RootKey> {
        Arc::clone(&self.under.load().root)
    }

    /// Makes a new domain key current, when the old one has served its day; returns its id.
    ///
    /// # Errors
    /// If the store or randomness fails; the old key then goes on.
    pub async fn rotate_if_due(&self, now: Timestamp) -> Result<Option<u32>, Fault> {
        let writing = self.rows.lock().await;
        let (current, under) = (self.keyring(), self.under.load_full());
        if !current.is_rotation_due(now.millis()) {
            return Ok(None);
        }
        let (next, row) =
            current.rotate(&under.root, now.millis(), &*self.random).map_err(Fault::internal)?;
        // Under a root key that another node has done away with there is nothing any more.
        let newest = format!("{}domain/{:010}", under.prefix, current.current_id());
        let when = [
            Cond::Absent(under.key(&row)),
            Cond::Absent(Key::from(CHANGE)),
            Cond::Exists(Key::new(newest.into_bytes())),
        ];
        match self.store.txn(&when, puts(&under, &[row])).await.map_err(not_committed) {
            Ok(_) => {}
            Err(Fault::Conflict) => {
                drop(writing);
                // Another node did it, or the root key is being changed.
                self.reload_keyring().await?;
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        }
        let id = next.current_id();
        self.keyring.store(Arc::new(next));
        Ok(Some(id))
    }

    /// Takes over domain keys that other nodes have made.
    ///
    /// # Errors
    /// If the store fails, or has no keyring under this root key any more: another node has changed
    /// it.
    pub async fn reload_keyring(&self) -> Result<(), Fault> {
        let _writing = self.rows.lock().await;
        let (current, under) = (self.keyring(), self.under.load_full());
        let range = Range::prefix(under.prefix.as_str());
        let found = self.store.range(range, 0, None).await.map_err(refused)?.kvs;
        if !found.iter().any(|row| under.holds(&row.key)) {
            self.root_is_gone.store(true, Ordering::Release);
            return Err(Fault::internal(UNDER_ANOTHER));
        }
        let rows = rows_under(&under.root, &found)?;
        let rows = rows.iter().map(|row| row.value.as_bytes());
        let next = current.extended(&under.root, rows).map_err(Fault::internal)?;
        if let Some(next) = next {
            self.keyring.store(Arc::new(next));
        }
        Ok(())
    }

    pub(crate) async fn reload_keyring_or_warn(&self) {
        if let Err(fault) = self.reload_keyring().await {
            tracing::warn!(error = ?fault, "the keyring could not be read again");
        }
    }

    /// The name of the root key that the keyring is wrapped under.
    pub fn root_id(&self) -> Option<String> {
        self.under.load().root.id().ok()
    }

    /// Why this process must end: the rows under its root key are gone.
    pub(crate) fn root_gone(&self) -> Option<&'static str> {
        self.root_is_gone.load(Ordering::Acquire).then_some(UNDER_ANOTHER)
    }

    /// The change of the root key that not all nodes have made.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn root_change(&self) -> Result<Option<RootChange>, Fault> {
        let (rows, _) = self.store.get(&[Key::from(CHANGE)], None).await.map_err(refused)?;
        let row = rows.into_iter().flatten().next();
        row.map(|row| serde_json::from_slice(row.value.as_bytes()))
            .transpose()
            .map_err(Fault::internal)
    }

    /// Tells the other nodes that the root key is being changed; from then on no domain key is
    /// rotated, and those that were are known here.
    async fn begin_change(&self, under: &Under, next: &Under) -> Result<(), Fault> {
        let id = |under: &Under| under.root.id().map_err(Fault::internal);
        let change = RootChange { from: id(under)?, to: id(next)? };
        let row = Op::put(CHANGE, serde_json::to_vec(&change).map_err(Fault::internal)?);
        self.store.txn(&[], vec![row]).await.map_err(not_committed)?;
        let range = Range::prefix(under.prefix.as_str());
        let found = self.store.range(range, 0, None).await.map_err(refused)?.kvs;
        let rows = rows_under(&under.root, &found)?;
        let rows = rows.iter().map(|row| row.value.as_bytes());
        let extended = self.keyring().extended(&under.root, rows).map_err(Fault::internal)?;
        if let Some(extended) = extended {
            self.keyring.store(Arc::new(extended));
        }
        Ok(())
    }

    /// Takes another root key for this one's: the one that another node has written the keyring's
    /// rows under. Nothing is changed until [`Rekey::adopt`].
    ///
    /// # Errors
    /// If the store fails, or has no rows under it.
    pub async fn rekeyed(&self, next: RootKey) -> Result<Rekey<'_>, Fault> {
        let writing = self.rows.lock().await;
        let next = Under::new(next)?;
        let range = Range::prefix(next.prefix.as_str());
        let found = self.store.range(range, 0, None).await.map_err(refused)?.kvs;
        if found.is_empty() {
            return Err(Fault::internal(NOT_BEGUN));
        }
        let epoch = self.keyring().current_id();
        let rows = found.iter().map(|row| row.value.as_bytes());
        let keyring = Keyring::open(&next.root, rows, epoch).map_err(Fault::internal)?;
        let epoch = keyring.current_id();
        Ok(Rekey { database: self, next, epoch, _writing: writing })
    }

    /// Writes the keyring's rows a second time, under another root key. Nothing depends on them
    /// until [`Rekey::adopt`]; no domain key is rotated meanwhile.
    ///
    /// # Errors
    /// If the store or randomness fails; what was written is a leftover then.
    pub async fn rekey(&self, next: RootKey) -> Result<Rekey<'_>, Fault> {
        let writing = self.rows.lock().await;
        let (under, next) = (self.under.load_full(), Under::new(next)?);
        if next.prefix == under.prefix {
            return Err(Fault::internal(KeyringError::DuplicateRow { name: next.prefix }));
        }
        if !self.is_alone() {
            self.begin_change(&under, &next).await?;
        }
        let keyring = self.keyring();
        let rows = keyring.rewrap(&next.root, &*self.random).map_err(Fault::internal)?;
        for rows in rows.chunks(ROWS_PER_TXN) {
            self.store.txn(&[], puts(&next, rows)).await.map_err(not_committed)?;
        }
        Ok(Rekey { database: self, next, epoch: keyring.current_id(), _writing: writing })
    }

    /// Deletes rows under other root keys than the present one: what a change of it has left. Of
    /// several nodes none may be under another any more.
    ///
    /// # Errors
    /// If the store fails; they do no harm.
    pub async fn forget_other_roots(&self) -> Result<(), Fault> {
        let _writing = self.rows.lock().await;
        let under = self.under.load_full();
        let found = self.store.range(Range::prefix(KEYRING), 0, None).await.map_err(refused)?.kvs;
        let others = found.into_iter().filter(|row| !under.holds(&row.key));
        let change = self.root_change().await?.map(|_| Op::delete(CHANGE));
        let others: Vec<Op> = others.map(|row| Op::delete(row.key)).chain(change).collect();
        for some in others.chunks(ROWS_PER_TXN) {
            self.store.txn(&[], some.to_vec()).await.map_err(not_committed)?;
        }
        Ok(())
    }
}

/// What a node says whose root key opens nothing any more.
const UNDER_ANOTHER: &str = "the keyring does not open under this root key: the records are under another one, that \
     haechi operator rekey made on another node, or that came after this seal.json. Copy seal.json \
     of a node that serves, and what its root key lies in, and start haechi again";

/// What a node says whose seal knows of records that are not there.
const EMPTY: &str = "the store is empty, and this seal.json belongs to records: the store's place is \
     wrong (its endpoints, its prefix, its folder), or they are lost. Correct it, or restore a backup";

const NOT_BEGUN: &str = "no records are under this root key: it is of another installation, or its change \
     was ended with --finish on a node that has another";

/// A change of the root key that not all nodes have made. Names, in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootChange {
    /// The old root key.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// A new root key whose rows are written. Dropped before [`Rekey::adopt`], it leaves everything as
/// it was.
pub struct Rekey<'a> {
    database: &'a Database,
    next: Under,
    epoch: u32,
    _writing: MutexGuard<'a, ()>,
}

impl Rekey<'_> {
    /// The new root key.
    pub fn root(&self) -> &RootKey {
        &self.next.root
    }

    /// The newest domain key: the epoch of the new seal.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// From now on new domain keys are wrapped under the new root key. To be called once its
    /// `seal.json` is on disk.
    pub fn adopt(self) {
        self.database.under.store(Arc::new(self.next));
    }
}
