//! Reading through the cache: records, what is made of them, and pages of them.

use std::future::Future;
use std::sync::Arc;

use haechi_store::Key;
use haechi_wire::Fault;

use super::{Database, Listing, Record, refused};
use crate::Path;
use crate::paging::Cursor;

/// Paths whose keys are kept, at most.
const KEYS_MAX: usize = 10_000;

/// Rows of a page that is kept, at most: so it takes no more room than what else the cache counts as
/// one entry.
const PAGE_ROWS_MAX: u32 = 10;

/// Bytes of a cursor whose page is kept, at most. Callers hand cursors in, and none that was handed
/// out is longer.
const CURSOR_BYTES_MAX: usize = 1024;

/// Keys of paths with hidden names, which take an HMAC for each name. A name's pseudonym never
/// changes, so that nothing of this grows old.
pub(super) struct Keys(quick_cache::sync::Cache<Path, Key>);

impl Keys {
    pub(super) fn new() -> Keys {
        Keys(quick_cache::sync::Cache::new(KEYS_MAX))
    }

    /// The key of a path, which `make` makes.
    pub(super) fn of(&self, path: &Path, make: impl FnOnce() -> Key) -> Key {
        if path.plain().is_some() {
            return make();
        }
        if let Some(key) = self.0.get(path) {
            return key;
        }
        let key = make();
        self.0.insert(path.clone(), key.clone());
        key
    }

    pub(super) fn clear(&self) {
        self.0.clear();
    }
}

/// Records of a page, and where the next one starts.
pub type Page<T> = (Vec<Arc<T>>, Option<Cursor>);

/// Which rows are on a page; the records are kept apart, each until it is written.
struct Rows {
    keys: Vec<Key>,
    next: Option<Cursor>,
}

fn page_of<T>(listing: Listing<T>) -> Page<T> {
    (listing.items.into_iter().map(|item| Arc::new(item.value)).collect(), listing.next)
}

impl Database {
    /// What is kept of the record at `path`, or its key.
    fn kept<V: Send + Sync + 'static>(&self, path: &Path) -> Result<Arc<V>, Key> {
        // Mostly it is there, and nothing needs to be made to ask for it.
        if let Some(key) = path.plain()
            && let Some(hit) = self.cache.find(key, key)
        {
            return Ok(hit);
        }
        let key = self.key(path);
        self.cache.find(key.as_bytes(), key.as_bytes()).ok_or(key)
    }

    /// What `build` makes of the record at `path`, kept until the record is written again.
    ///
    /// # Errors
    /// If the store or `build` fails.
    pub async fn cached<T: Record, V: Send + Sync + 'static>(
        &self,
        path: &Path,
        build: impl FnOnce(T) -> Result<V, Fault> + Send,
    ) -> Result<Option<Arc<V>>, Fault> {
        let key = match self.kept(path) {
            Ok(hit) => return Ok(Some(hit)),
            Err(key) => key,
        };
        let epoch = self.cache.epoch(key.as_bytes());
        let Some(loaded) = self.load_key::<T>(key).await? else { return Ok(None) };
        let value = Arc::new(build(loaded.value)?);
        let key = loaded.key.as_bytes();
        self.cache.insert(key, key, epoch, Arc::clone(&value));
        Ok(Some(value))
    }

    /// As [`Self::cached`], where `build` reads the record itself, and what it needs beside it. The
    /// record is written whenever anything of that changes.
    ///
    /// # Errors
    /// If `build` fails.
    pub async fn cached_with<V: Send + Sync + 'static>(
        &self,
        path: &Path,
        build: impl Future<Output = Result<Option<V>, Fault>> + Send,
    ) -> Result<Option<Arc<V>>, Fault> {
        let key = match self.kept(path) {
            Ok(hit) => return Ok(Some(hit)),
            Err(key) => key,
        };
        let key = key.as_bytes();
        let epoch = self.cache.epoch(key);
        let Some(value) = build.await?.map(Arc::new) else { return Ok(None) };
        self.cache.insert(key, key, epoch, Arc::clone(&value));
        Ok(Some(value))
    }

    /// What `build` makes of rows under `scope` (a service and an account), kept under `id` until
    /// any of them is written. `build` runs only if nothing is kept.
    ///
    /// # Errors
    /// If `build` fails.
    pub async fn derived<V: Send + Sync + 'static>(
        &self,
        scope: &Path,
        id: &str,
        build: impl Future<Output = Result<Option<V>, Fault>> + Send,
    ) -> Result<Option<Arc<V>>, Fault> {
        let hidden;
        let scope = match scope.plain() {
            Some(plain) => plain,
            None => {
                hidden = self.key(scope);
                hidden.as_bytes()
            }
        };
        let key = [scope, b"\0derived\0", id.as_bytes()].concat();
        if let Some(hit) = self.cache.find(&key, scope) {
            return Ok(Some(hit));
        }
        let epoch = self.cache.epoch(scope);
        let Some(value) = build.await?.map(Arc::new) else { return Ok(None) };
        self.cache.insert(&key, scope, epoch, Arc::clone(&value));
        Ok(Some(value))
    }

    /// A page as [`Self::list`] reads it. Which rows are on a small one is kept until any row under
    /// `scope` (a service and an account, which `prefix` is in) is written.
    ///
    /// # Errors
    /// If the store fails, or a row is damaged.
    pub async fn listed<T: Record>(
        &self,
        scope: &Path,
        prefix: &Path,
        from: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<T>, Fault> {
        let cursor_bytes = from.map_or(0, |cursor| cursor.0.len());
        if limit > PAGE_ROWS_MAX || cursor_bytes > CURSOR_BYTES_MAX {
            return Ok(page_of(self.list(prefix, from, limit).await?));
        }
        let (scope, prefix_key) = (self.key(scope), self.key(prefix));
        let (scope, prefix_key) = (scope.as_bytes(), prefix_key.as_bytes());
        let from_key = from.map_or(&[][..], |cursor| &cursor.0);
        let id = [prefix_key, b"\0page\0", &limit.to_be_bytes(), from_key].concat();
        let epoch = self.cache.epoch(scope);
        if let Some(rows) = self.cache.find::<Rows>(&id, scope) {
            let records = self.cached_rows(&rows.keys).await?;
            // Written meanwhile: the records may be of different times.
            if epoch == self.cache.epoch(scope) {
                return Ok((records, rows.next.clone()));
            }
        }
        let epoch = self.cache.epoch(scope);
        let page = self.list::<T>(prefix, from, limit).await?;
        let keys = page.items.iter().map(|item| item.key.clone()).collect();
        let rows = Rows { keys, next: page.next.clone() };
        self.cache.insert(&id, scope, epoch, Arc::new(rows));
        Ok(page_of(page))
    }

    /// The records of these rows that are there, from the cache as far as it has them.
    async fn cached_rows<T: Record>(&self, keys: &[Key]) -> Result<Vec<Arc<T>>, Fault> {
        let find = |key: &Key| self.cache.find::<T>(key.as_bytes(), key.as_bytes());
        let mut found: Vec<Option<Arc<T>>> = keys.iter().map(find).collect();
        let missing = found.iter().zip(keys).filter(|(found, _)| found.is_none());
        let missing: Vec<Key> = missing.map(|(_, key)| key.clone()).collect();
        if missing.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        let epochs: Vec<u64> = missing.iter().map(|key| self.cache.epoch(key.as_bytes())).collect();
        let (rows, _) = self.store.get(&missing, None).await.map_err(refused)?;
        let mut read = rows.into_iter().zip(epochs);
        for place in found.iter_mut().filter(|place| place.is_none()) {
            let Some((Some(row), epoch)) = read.next() else { continue };
            let value = Arc::new(self.open_row::<T>(&row).await?);
            let key = row.key.as_bytes();
            self.cache.insert(key, key, epoch, Arc::clone(&value));
            *place = Some(value);
        }
        Ok(found.into_iter().flatten().collect())
    }
}
