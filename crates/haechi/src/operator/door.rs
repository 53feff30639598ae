//! What the server lets the operator do: first unseal it, perhaps, then work on its installation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haechi_crypto::seal::{Quorum, ShamirSeal};
use haechi_crypto::{RootKey, SealConfig, SecretVec};
use tokio::sync::{Notify, oneshot};

use super::order::{SealStatus, ServerState, Status};
use crate::Failure;
use crate::data::DataDirectory;
use crate::installation::Installation;

/// The server, as the operator finds it.
pub struct Door {
    data: DataDirectory,
    state: Mutex<State>,
    seal_asked: Notify,
}

enum State {
    /// Nothing can be asked yet, or any more.
    Shut,
    /// Shares are taken.
    Sealed { quorum: Quorum, opened: oneshot::Sender<RootKey> },
    /// The installation can be worked on.
    Open(Arc<Installation>),
}

impl Door {
    /// Shut.
    pub fn new(data: &DataDirectory) -> Door {
        Door { data: data.clone(), state: Mutex::new(State::Shut), seal_asked: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes shares from now on; the root key comes when they are enough.
    pub fn take_shares(&self, seal: &ShamirSeal) -> oneshot::Receiver<RootKey> {
        let (opened, root) = oneshot::channel();
        *self.state() = State::Sealed { quorum: Quorum::new(seal), opened };
        root
    }

    /// Lets the operator work on an installation.
    pub fn open(&self, installation: &Arc<Installation>) {
        *self.state() = State::Open(Arc::clone(installation));
    }

    /// Lets nobody in.
    pub fn shut(&self) {
        *self.state() = State::Shut;
    }

    /// Returns when the operator wants the server sealed.
    pub async fn seal_asked(&self) {
        self.seal_asked.notified().await;
    }

    /// The installation, where it is open.
    pub(super) fn installation(&self) -> Result<Arc<Installation>, Failure> {
        match &*self.state() {
            State::Open(installation) => Ok(Arc::clone(installation)),
            State::Sealed { .. } => Err("haechi is sealed: haechi operator unseal".into()),
            State::Shut => Err("haechi is starting or stopping: try again".into()),
        }
    }

    pub(super) fn status(&self) -> Result<Status, Failure> {
        let (state, given) = match &*self.state() {
            State::Shut => (ServerState::Starting, None),
            State::Sealed { quorum, .. } => (ServerState::Sealed, Some(quorum.given())),
            State::Open(_) => (ServerState::Serving, None),
        };
        let seal = SealConfig::load(self.data.path())?.map(|seal| SealStatus::new(&seal, given));
        let (version, process) = (crate::cli::VERSION.to_owned(), std::process::id());
        Ok(Status { version, process: Some(process), state, seal })
    }

    /// Takes one more share.
    pub(super) fn unseal(&self, share: &SecretVec) -> Result<(), Failure> {
        let mut state = self.state();
        let State::Sealed { quorum, .. } = &mut *state else {
            return Err("haechi is not sealed: no share is needed".into());
        };
        quorum.add(share)?;
        tracing::info!(given = quorum.given(), of = quorum.seal().threshold(), "a share was given");
        if quorum.given() < quorum.seal().threshold() {
            return Ok(());
        }
        let root = quorum.root().inspect_err(|error| {
            tracing::error!(%error, "all shares were given, and the root key does not open");
            quorum.forget();
        })?;
        let State::Sealed { opened, .. } = std::mem::replace(&mut *state, State::Shut) else {
            return Ok(());
        };
        opened.send(root).map_err(|_| "haechi is stopping".into())
    }

    /// Has the keys dropped.
    pub(super) fn seal(&self) -> Result<(), Failure> {
        self.installation()?;
        match SealConfig::load(self.data.path())?.map(|seal| SealStatus::new(&seal, None)) {
            Some(SealStatus { threshold: Some(_), .. }) => {
                self.seal_asked.notify_one();
                Ok(())
            }
            _ => Err("the root key of this installation is not split: haechi would open it again \
                      by itself. Stop haechi to have its keys dropped, or split the root key: \
                      haechi operator rekey --seal shamir"
                .into()),
        }
    }
}
