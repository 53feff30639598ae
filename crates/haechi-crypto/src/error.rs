//! The one error of the primitives themselves.

/// The cryptographic library failed for a reason that no input explains: its random generator or
/// an allocation. Nothing was produced; the request must fail and the operator look at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cryptography failed to {operation}; check the host's memory and entropy, then restart")]
pub struct CryptoError {
    /// What was being done.
    pub operation: &'static str,
}

impl CryptoError {
    pub(crate) const fn new(operation: &'static str) -> Self {
        Self { operation }
    }
}
