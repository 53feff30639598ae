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

use std::sync::Arc;

use haechi_crypto::keyring::KeyringError;
use haechi_crypto::{Keyring, Random, RootKey, WrappedKey};
use haechi_store::{Cond, Key, Kv, Op, Range, Store};
use haechi_wire::{Fault, Timestamp};
use tokio::sync::MutexGuard;

use super::{Database, not_committed, refused};

const KEYRING: &str = "/keyring/";

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
    if found.is_empty() {
        let (keyring, rows) =
            Keyring::create(&under.root, now.millis(), random).map_err(Fault::internal)?;
        let when: Vec<Cond> = rows.iter().map(|row| Cond::Absent(under.key(row))).collect();
        store.txn(&when, puts(&under, &rows)).await.map_err(not_committed)?;
        return Ok((under, keyring));
    }
    let rows = rows_under(&under.root, &found)?;
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
        let when = [Cond::Absent(under.key(&row))];
        match self.store.txn(&when, puts(&under, &[row])).await.map_err(not_committed) {
            Ok(_) => {}
            Err(Fault::Conflict) => {
                drop(writing);
                // Another node did it.
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

    /// Writes the keyring's rows a second time, under another root key. Nothing depends on them
    /// until [`Rekey::adopt`]; no domain key is rotated meanwhile.
    ///
    /// # Errors
    /// If the store or randomness fails; what was written is a leftover then.
    pub async fn rekey(&self, next: RootKey) -> Result<Rekey<'_>, Fault> {
        let writing = self.rows.lock().await;
        let (keyring, next) = (self.keyring(), Under::new(next)?);
        if next.prefix == self.under.load().prefix {
            return Err(Fault::internal(KeyringError::DuplicateRow { name: next.prefix }));
        }
        let rows = keyring.rewrap(&next.root, &*self.random).map_err(Fault::internal)?;
        for rows in rows.chunks(ROWS_PER_TXN) {
            self.store.txn(&[], puts(&next, rows)).await.map_err(not_committed)?;
        }
        Ok(Rekey { database: self, next, epoch: keyring.current_id(), _writing: writing })
    }

    /// Deletes rows under other root keys than the present one: what a change of it has left.
    ///
    /// # Errors
    /// If the store fails; they do no harm.
    pub async fn forget_other_roots(&self) -> Result<(), Fault> {
        let _writing = self.rows.lock().await;
        let under = self.under.load_full();
        let found = self.store.range(Range::prefix(KEYRING), 0, None).await.map_err(refused)?.kvs;
        let present = |key: &Key| match under.prefix.as_str() {
            KEYRING => is_unnamed(key),
            prefix => key.as_bytes().starts_with(prefix.as_bytes()),
        };
        let others: Vec<Op> = found
            .into_iter()
            .filter(|row| !present(&row.key))
            .map(|row| Op::delete(row.key))
            .collect();
        for some in others.chunks(ROWS_PER_TXN) {
            self.store.txn(&[], some.to_vec()).await.map_err(not_committed)?;
        }
        Ok(())
    }
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
