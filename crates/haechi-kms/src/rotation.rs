//! Rotation: when a key gets new material, and what of its material encrypts.

use haechi_core::database::Unknown;
use serde::{Deserialize, Serialize};

/// Automatic rotation of a key, while it is enabled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) period_days: i32,
    pub(crate) next_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}
