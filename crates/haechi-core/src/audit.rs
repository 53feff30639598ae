//! Where the record of a call goes before its answer leaves.

use async_trait::async_trait;

/// Why a record could not be written. The call it belongs to must then not be answered as done.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be written; no call is answered until it can")]
pub struct AuditError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// An append-only log of calls.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Whether the last write succeeded; if not, calls are refused before they do anything.
    fn is_healthy(&self) -> bool;

    /// Appends one CloudTrail record (JSON); returns once it is on disk.
    ///
    /// # Errors
    /// If it cannot be made durable.
    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError>;
}
