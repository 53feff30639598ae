//! The states of a key, and what each admits. Pure: no store, no clock.
//!
//! ```text
//!            Disable                  ScheduleDeletion
//!  Enabled ◄────────► Disabled   either ──────────► PendingDeletion ──(its date)──► gone
//!            Enable       ▲                               │
//!                         └────────── CancelDeletion ─────┘
//! ```
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
}

/// What an operation wants of a key. Reading about it, its policy and deleting its aliases need
/// no leave of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Encrypt, decrypt, generate.
    Material,
    /// Tags, aliases, the description.
    Change,
}

/// What changes a key's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Enable,
    Disable,
    ScheduleDeletion,
    CancelDeletion,
}

/// Why a state does not admit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Disabled,
    PendingDeletion,
    NotPendingDeletion,
}

impl State {
    /// Whether a key in this state serves `purpose`.
    pub(crate) fn admit(self, purpose: Use) -> Result<(), Refusal> {
        match (self, purpose) {
            (State::Enabled, _) | (State::Disabled, Use::Change) => Ok(()),
            (State::Disabled, Use::Material) => Err(Refusal::Disabled),
            (State::PendingDeletion, _) => Err(Refusal::PendingDeletion),
        }
    }

    /// The state after a transition. Enabling an enabled key is no error.
    pub(crate) fn after(self, transition: Transition) -> Result<State, Refusal> {
        match (self, transition) {
            (State::PendingDeletion, Transition::CancelDeletion) => Ok(State::Disabled),
            (State::PendingDeletion, _) => Err(Refusal::PendingDeletion),
            (_, Transition::CancelDeletion) => Err(Refusal::NotPendingDeletion),
            (_, Transition::Enable) => Ok(State::Enabled),
            (_, Transition::Disable) => Ok(State::Disabled),
            (_, Transition::ScheduleDeletion) => Ok(State::PendingDeletion),
        }
    }

    pub(crate) fn shape(self) -> KeyState {
        match self {
            State::Enabled => KeyState::Enabled,
            State::Disabled => KeyState::Disabled,
            State::PendingDeletion => KeyState::PendingDeletion,
        }
    }
}

impl Refusal {
    /// As AWS says it of the key with this ARN.
    pub(crate) fn of(self, arn: &str) -> Error {
        match self {
            Refusal::Disabled => Error::DisabledException(format!("{arn} is disabled.")),
            Refusal::PendingDeletion => {
                Error::KMSInvalidStateException(format!("{arn} is pending deletion."))
            }
            Refusal::NotPendingDeletion => {
                Error::KMSInvalidStateException(format!("{arn} is not pending deletion."))
            }
        }
    }
}

#[cfg(test)]
mod tests;
