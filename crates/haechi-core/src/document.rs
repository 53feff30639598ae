//! What a service shows to anybody who asks, without a signature and without a record: files whose
//! only purpose is to be public, such as the certificate that verifies SNS's messages; and files at
//! paths that show themselves that their owner was told of them, such as Lambda's code.

use async_trait::async_trait;
use haechi_wire::Fault;

/// A public file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub body: Vec<u8>,
}

/// Who has public files.
#[async_trait]
pub trait Documents: Send + Sync + 'static {
    /// The file of a path; `None` if there is none.
    ///
    /// # Errors
    /// If the store fails.
    async fn document(&self, path: &str) -> Result<Option<Document>, Fault>;
}
