//! The states of a key, and what each admits. Pure: no store, no clock.
//!
//! ```text
//!            Disable                  ScheduleDeletion
//!  Enabled ◄────────► Disabled   either ──────────► PendingDeletion ──(its date)──► gone
//!   ▲  │     Enable       ▲                               │   ▲
//!   │  │                  └────────── CancelDeletion ─────┘   │ last replica gone
//!   │  └──► PendingImport    primary with replicas ──► PendingReplicaDeletion
//!   └─────────┘
//!    material deleted or expired, and imported again (keys of origin EXTERNAL)
//! ```
//! `Creating` and `Updating` are states of AWS's that nothing here needs: a change that spans Regions
//! is one transaction, and a key of which other deployments are being told serves all the while. `Unavailable` is not kept: it shows while a key's custom key store is not
//! connected.
//!
//! Source: Developer Guide, "Key states of AWS KMS keys", the table.

use haechi_kms_model::Error;
use haechi_kms_model::shapes::KeyState;
use serde::{Deserialize, Serialize};

/// The state of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Enabled,
    Disabled,
    PendingDeletion,
    PendingImport,
    PendingReplicaDeletion,
}

/// What an operation wants of a key. Reading about it, its policy and deleting its aliases need
/// no leave of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Encrypt, decrypt, generate; rotate, replicate.
    Material,
    /// Tags, aliases, the description; importing.
    Change,
}

/// What changes a key's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Enable,
    Disable,
    ScheduleDeletion,
    /// As `ScheduleDeletion`, of a primary key that has replicas.
    AwaitReplicas,
    CancelDeletion,
    /// The last replica is gone.
    ReplicasGone,
    /// Imported material was deleted, or has expired.
    LoseMaterial,
    /// All imported material is there.
    GainMaterial,
}

/// Why a state does not admit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Disabled,
    PendingDeletion,
    PendingImport,
    PendingReplicaDeletion,
    NotPendingDeletion,
}

impl State {
    /// Whether the key is to be deleted.
    pub(crate) fn is_doomed(self) -> bool {
        matches!(self, State::PendingDeletion | State::PendingReplicaDeletion)
    }

    /// Whether a key in this state serves `purpose`.
    pub(crate) fn admit(self, purpose: Use) -> Result<(), Refusal> {
        match (self, purpose) {
            (State::Enabled, _) | (State::Disabled | State::PendingImport, Use::Change) => Ok(()),
            (State::Disabled, Use::Material) => Err(Refusal::Disabled),
            (State::PendingImport, Use::Material) => Err(Refusal::PendingImport),
            (State::PendingDeletion, _) => Err(Refusal::PendingDeletion),
            (State::PendingReplicaDeletion, _) => Err(Refusal::PendingReplicaDeletion),
        }
    }

    /// The state after a transition. Enabling an enabled key is no error.
    pub(crate) fn after(self, transition: Transition) -> Result<State, Refusal> {
        use State as S;
        use Transition as T;
        match (self, transition) {
            (S::PendingDeletion | S::PendingReplicaDeletion, T::CancelDeletion) => Ok(S::Disabled),
            (S::PendingReplicaDeletion, T::ReplicasGone) => Ok(S::PendingDeletion),
            // Material that comes and goes does not save a key that is to be deleted.
            (S::PendingDeletion | S::PendingReplicaDeletion, T::LoseMaterial | T::GainMaterial)
            | (_, T::ReplicasGone) => Ok(self),
            (S::PendingDeletion, _) => Err(Refusal::PendingDeletion),
            (S::PendingReplicaDeletion, _) => Err(Refusal::PendingReplicaDeletion),
            (_, T::CancelDeletion) => Err(Refusal::NotPendingDeletion),
            (_, T::ScheduleDeletion) => Ok(S::PendingDeletion),
            (_, T::AwaitReplicas) => Ok(S::PendingReplicaDeletion),
            (_, T::LoseMaterial) => Ok(S::PendingImport),
            (S::PendingImport, T::GainMaterial) => Ok(S::Enabled),
            (_, T::GainMaterial) => Ok(self),
            (S::PendingImport, T::Enable | T::Disable) => Err(Refusal::PendingImport),
            (_, T::Enable) => Ok(S::Enabled),
            (_, T::Disable) => Ok(S::Disabled),
        }
    }

    pub(crate) fn shape(self) -> KeyState {
        match self {
            State::Enabled => KeyState::Enabled,
            State::Disabled => KeyState::Disabled,
            State::PendingDeletion => KeyState::PendingDeletion,
            State::PendingImport => KeyState::PendingImport,
            State::PendingReplicaDeletion => KeyState::PendingReplicaDeletion,
        }
    }
}

impl Refusal {
    /// As AWS says it of the key with this ARN.
    pub(crate) fn of(self, arn: &str) -> Error {
        let why = match self {
            Refusal::Disabled => return Error::DisabledException(format!("{arn} is disabled.")),
            Refusal::PendingDeletion => "pending deletion",
            Refusal::PendingImport => "pending import",
            Refusal::PendingReplicaDeletion => "pending replica deletion",
            Refusal::NotPendingDeletion => "not pending deletion",
        };
        Error::KMSInvalidStateException(format!("{arn} is {why}."))
    }
}

#[cfg(test)]
mod tests;
