//! Server-side encryption of messages under data keys of KMS, for services that keep messages.
//!
//! What it guarantees:
//! * What is sealed is stored under a data key only, which KMS made in the sender's name and which
//!   KMS opens in the reader's: whoever may not use the KMS key neither sends nor reads.
//! * A data key serves for its period, for the caller for whom it was made or opened, and for
//!   messages of one resource; then KMS is asked again. So KMS's answer counts for as long at most.
//! * Plaintext data keys are in memory only, so many at the most, and are wiped.
//!
//! Source: SQS Developer Guide, "Encryption at rest"; SNS Developer Guide, "Key management".
//!
//! ```text
//! keys.rs      what is asked of KMS, and what its refusals mean
//! sealed.rs    a text under a data key (pure)
//! envelope.rs  data keys, made, opened and kept
//! ```

mod envelope;
mod keys;
mod sealed;

pub use envelope::{DataKey, Envelope, Under};
pub use keys::{Keys, Refused};
pub use sealed::Sealed;
