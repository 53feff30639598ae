//! What is kept in memory of records, and made of them, until they are written.

use std::sync::Arc;

use haechi_store::Key;
use haechi_wire::Fault;

use super::{Database, Record};
use crate::Path;

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
}
