//! `seal.json` of an open data directory: who changes it, one after the other.
//!
//! Changing the root key goes in steps, after each of which the process may die:
//!
//! ```text
//! 1 the new seal is made                   a new root key in memory; with the file seal also in a file
//! 2 the keyring's rows are written anew    beside the old ones           old root key opens
//! 3 seal.json is replaced                  one rename: the moment        new root key opens
//! 4 rows under the old root key go         leftovers until the next start
//! ```

use std::path::{Path, PathBuf};

use haechi_core::{Database, Env};
use haechi_crypto::seal::SealMethod;
use haechi_crypto::{RootKey, SealConfig};
use tokio::sync::Mutex;

use crate::Failure;
use crate::data::DataDirectory;

/// Keeps the seal of a data directory.
pub struct Keeper {
    data: DataDirectory,
    seal: Mutex<SealConfig>,
    pending: Mutex<Option<NewRoot>>,
}

/// A new root key and its seal, of which nothing is on disk yet but the file of a file seal.
pub struct NewRoot {
    /// The seal; not saved.
    pub seal: SealConfig,
    /// The root key.
    pub root: RootKey,
}

/// A step of changing the root key, done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The rows are there twice.
    RowsWritten,
    /// The new seal counts.
    SealReplaced,
    /// The old rows are gone.
    OldRowsForgotten,
}

impl Keeper {
    /// Of an open seal.
    pub fn new(data: &DataDirectory, seal: SealConfig) -> Keeper {
        Keeper { data: data.clone(), seal: Mutex::new(seal), pending: Mutex::new(None) }
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        self.data.path()
    }

    /// Whether its records lay in it before they moved to where several nodes share them.
    pub fn served_alone(&self) -> bool {
        self.data.store_before().exists()
    }

    /// The seal as it is now.
    pub async fn seal(&self) -> SealConfig {
        self.seal.lock().await.clone()
    }

    /// Rotates the domain key where that is due; tells its id.
    ///
    /// # Errors
    /// If the store fails; the old key goes on. If `seal.json` cannot be written, rolling the store
    /// back is not noticed until it is.
    pub async fn rotate_if_due(
        &self,
        database: &Database,
        env: &Env,
    ) -> Result<Option<u32>, Failure> {
        let mut seal = self.seal.lock().await;
        let made = database.rotate_if_due(env.now()).await?;
        // Another node may have made it.
        let id = database.keyring().current_id();
        if id <= seal.epoch() {
            return Ok(None);
        }
        seal.advance_epoch(&database.root(), id, &*env.random)?;
        seal.save(self.data.path())?;
        Ok(made)
    }

    /// Keeps a new root key until the operator says that it is to count; forgets one before.
    pub async fn prepare(&self, new: Option<NewRoot>) {
        let before = std::mem::replace(&mut *self.pending.lock().await, new);
        if let Some(file) = before.and_then(|before| root_key_file(self.path(), &before.seal)) {
            // Nothing was ever sealed under it.
            if let Err(error) = std::fs::remove_file(&file) {
                tracing::warn!(%error, file = %file.display(), "a root key that is not used stays");
            }
        }
    }

    /// Makes the prepared root key count; answers the file of the old one, if it lies in one.
    ///
    /// # Errors
    /// If none is prepared, or a step fails: the old root key counts then, unless the failure came
    /// after [`Step::SealReplaced`].
    pub async fn commit(
        &self,
        database: &Database,
        env: &Env,
        done: &(dyn Fn(Step) -> Result<(), Failure> + Sync),
    ) -> Result<Option<PathBuf>, Failure> {
        let NewRoot { seal: mut next, root } =
            self.pending.lock().await.take().ok_or("no new root key was prepared")?;
        let nodes = haechi_core::cluster::nodes(&**database.store()).await?;
        if nodes.len() > 1 {
            return Err(format!(
                "{} nodes run over this store, and each has a seal.json: stop all but this one, change the root key, copy seal.json (and what the root key lies in) to the others, and start them",
                nodes.len()
            )
            .into());
        }
        let mut seal = self.seal.lock().await;
        let rekey = database.rekey(root).await?;
        next.advance_epoch(rekey.root(), rekey.epoch(), &*env.random)?;
        done(Step::RowsWritten)?;
        if let Err(error) = next.save(self.data.path()) {
            return Err(self.not_saved(&seal, error.into()));
        }
        let old = std::mem::replace(&mut *seal, next);
        rekey.adopt();
        done(Step::SealReplaced)?;
        database.forget_other_roots().await?;
        done(Step::OldRowsForgotten)?;
        tracing::info!("the root key was changed");
        Ok(root_key_file(self.data.path(), &old))
    }
}

impl Keeper {
    /// The new seal could not be written. Where it is not certain that the old one counts, the
    /// process ends: neither may get domain keys that the other lacks. The next start goes on with
    /// whichever seal is there; both find all of the rows.
    fn not_saved(&self, old: &SealConfig, error: Failure) -> Failure {
        if SealConfig::load(self.data.path()).is_ok_and(|found| found.as_ref() == Some(old)) {
            return error;
        }
        tracing::error!(%error, "seal.json may or may not be replaced: haechi ends, start it again");
        std::process::exit(1)
    }
}

/// The file of a root key, if it lies in one.
pub fn root_key_file(data: &Path, seal: &SealConfig) -> Option<PathBuf> {
    match seal.method() {
        SealMethod::File { path } => Some(data.join(path)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
