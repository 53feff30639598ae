//! An opened data directory: what a command of the operator works on, in a server or without one.

use std::sync::Arc;

use haechi_core::{Clock, Cluster, Env, SystemClock};

use crate::Failure;
use crate::cli::SealOptions;
use crate::data::DataDirectory;
use crate::keeper::Keeper;
use crate::moving::{self, Moving};
use crate::stack::{Records, Stack, environment};
use crate::storage::Storage;
use crate::unseal::unseal;

/// Services over an open store. A server's router is with its gateway, so `stack.router` is empty
/// there.
pub struct Installation {
    /// The services.
    pub stack: Stack,
    /// Time and randomness.
    pub env: Env,
    /// The seal of the data directory; `None` in memory.
    pub keeper: Option<Keeper>,
    /// This node among others over its store.
    pub cluster: Option<Arc<Cluster>>,
    /// The records of a server, where they may move while it serves.
    pub moving: Option<Moving>,
}

impl Installation {
    /// Opens a data directory that the caller has locked.
    ///
    /// # Errors
    /// If the root key cannot be had, or the store fails.
    pub async fn open(
        data: &DataDirectory,
        secrets: &SealOptions,
    ) -> Result<Installation, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let env = environment(Arc::clone(&clock));
        let (seal, root) = unseal(data, secrets, false, &*env.random)?;
        let storage = Storage::of(data)?;
        let (store, is_shared) = (storage.open(data, &clock).await?, storage.is_shared());
        moving::refuse_moved(&*store).await?;
        let records = Records { store, root, epoch: seal.epoch(), is_shared };
        let stack = Stack::new(records, &env, Some(data)).await?;
        let keeper = Some(Keeper::new(data, seal));
        Ok(Installation { stack, env, keeper, cluster: None, moving: None })
    }

    /// Closes the store: everything is on disk afterwards.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn close(&self) -> Result<(), Failure> {
        Ok(self.stack.database.store().close().await?)
    }
}
