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
//!
//! Among several nodes each has its own `seal.json`: one does 1 to 3, the others go over to what it
//! has made ([`Keeper::adopt`]), and 4 comes when the last has, or the operator says that the others
//! do not count.

use std::path::{Path, PathBuf};
use std::time::Duration;

use haechi_core::{Database, Env, NodeRow, NodeState};
use haechi_crypto::seal::SealMethod;
use haechi_crypto::{RootKey, SealConfig, SecretVec};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::Failure;
use crate::data::{DataDirectory, write_private};

/// How often a change of the root key is looked for.
const LOOK: Duration = Duration::from_secs(3);

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

    /// Makes the prepared root key count for this node; answers what is left of the old one.
    ///
    /// # Errors
    /// If none is prepared, or a step fails: the old root key counts then, unless the failure came
    /// after [`Step::SealReplaced`].
    pub async fn commit(
        &self,
        (database, own): (&Database, Option<&str>),
        env: &Env,
        done: &(dyn Fn(Step) -> Result<(), Failure> + Sync),
    ) -> Result<Changed, Failure> {
        refuse_two_changes(database, own).await?;
        let NewRoot { seal: mut next, root } =
            self.pending.lock().await.take().ok_or("no new root key was prepared")?;
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
        tracing::info!("the root key was changed");
        let behind = end_change(database, own).await?;
        done(Step::OldRowsForgotten)?;
        Ok(Changed { old_root_key: root_key_file(self.data.path(), &old), behind })
    }

    /// Goes over to the root key that another node has changed to: to the `seal.json` in a folder,
    /// beside what its root key lies in.
    ///
    /// # Errors
    /// If it does not open, the store has nothing under it, or a file cannot be written: the old
    /// root key counts then.
    pub async fn adopt(
        &self,
        (database, own): (&Database, Option<&str>),
        env: &Env,
        folder: &Path,
        secret: Option<&SecretVec>,
    ) -> Result<Changed, Failure> {
        let missing = || format!("{} has no seal.json of the other node", folder.display());
        let mut next = SealConfig::load(folder)?.ok_or_else(missing)?;
        let root = next.unseal(folder, secret)?;
        let mut seal = self.seal.lock().await;
        let rekey = database.rekeyed(root).await?;
        next.advance_epoch(rekey.root(), rekey.epoch(), &*env.random)?;
        if let SealMethod::File { path } = next.method() {
            self.take_root_key(&folder.join(path), &self.data.path().join(path))?;
        }
        if let Err(error) = next.save(self.data.path()) {
            return Err(self.not_saved(&seal, error.into()));
        }
        let old = std::mem::replace(&mut *seal, next);
        rekey.adopt();
        tracing::info!("this node has gone over to the new root key");
        let behind = end_change(database, own).await?;
        Ok(Changed { old_root_key: root_key_file(self.data.path(), &old), behind })
    }

    /// Copies the file of a root key, unless it is there.
    fn take_root_key(&self, from: &Path, to: &Path) -> Result<(), Failure> {
        let named = |error| format!("{}: {error}", from.display());
        let key = Zeroizing::new(std::fs::read(from).map_err(named)?);
        if to.exists() {
            if Zeroizing::new(std::fs::read(to)?) == key {
                return Ok(());
            }
            return Err(format!("{} holds another root key: move it away", to.display()).into());
        }
        Ok(write_private(to, &key)?)
    }
}

/// A root key was changed, for this node.
pub struct Changed {
    /// The file of the old one, if it lies in one.
    pub old_root_key: Option<PathBuf>,
    /// Nodes that have not gone over; the old one opens the records until they have.
    pub behind: Vec<NodeRow>,
}

/// The other nodes, where there are any; of sealed ones it is not known which root key they have.
async fn others(database: &Database, own: Option<&str>) -> Result<Vec<NodeRow>, Failure> {
    let mut nodes = haechi_core::cluster::nodes(&**database.store()).await?;
    nodes.retain(|node| Some(node.id.as_str()) != own);
    Ok(nodes)
}

/// Refuses to begin a change while another is under way, or somebody could not follow it.
///
/// # Errors
/// Then, or if the store fails.
pub async fn refuse_two_changes(database: &Database, own: Option<&str>) -> Result<(), Failure> {
    let root = database.root_id();
    for node in others(database, own).await? {
        let NodeRow { id, address, version, .. } = &node;
        match (&node.state, &node.root) {
            (NodeState::Serving, None) => {
                return Err(format!("node {id} at {address} runs {version}, which cannot go over to another root key while it serves: upgrade it first").into());
            }
            (NodeState::Serving, other) if *other != root => {
                return Err(format!("node {id} at {address} has another root key: end that change first (haechi operator rekey --adopt here or there)").into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Ends a change once no node has another root key; answers those that have.
///
/// # Errors
/// If the store fails; the change is then ended later.
pub async fn end_change(database: &Database, own: Option<&str>) -> Result<Vec<NodeRow>, Failure> {
    let root = database.root_id();
    let mut behind = others(database, own).await?;
    behind.retain(|node| node.root != root);
    if behind.is_empty() {
        database.forget_other_roots().await?;
    }
    Ok(behind)
}

/// Ends a change although nodes that do not run have another root key: they need the `seal.json` of
/// this one then.
///
/// # Errors
/// If a node that serves has another one.
pub async fn finish_change(database: &Database, own: Option<&str>) -> Result<(), Failure> {
    let root = database.root_id();
    for node in others(database, own).await? {
        if node.state == NodeState::Serving && node.root != root {
            let NodeRow { id, address, .. } = &node;
            return Err(format!("node {id} at {address} serves under another root key: have it go over (haechi operator rekey --adopt), or stop it").into());
        }
    }
    Ok(database.forget_other_roots().await?)
}

/// Ends changes of the root key once all nodes have made them, and says when this one is behind; for
/// ever.
pub async fn follow_changes(database: &Database, own: &str) {
    let mut told = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let Ok(Some(change)) = database.root_change().await else {
            told = false;
            continue;
        };
        if database.root_id().as_ref() == Some(&change.to) {
            if let Err(error) = end_change(database, Some(own)).await {
                tracing::warn!(%error, "the old root key still opens the records");
            }
        } else if !told {
            told = true;
            tracing::warn!(
                root = change.to,
                "another node has changed the root key: have this one go over (haechi operator rekey --adopt)"
            );
        }
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
