//! AWS Signature Version 4: who sent this request, and is it unchanged?
//!
//! Every request to haechi is signed by its sender with a key that only the sender and we know.
//! This crate reads the signature out of a request ([`parse`]), checks its time and scope
//! ([`Presented::check`]) and recomputes it ([`verify`]); it also makes signatures ([`Signer`]) for clients,
//! tests and the load generator. It does no I/O and reads no clock.
//!
//! The order of the steps is AWS's own, since a request with two faults is answered for the
//! first: form, then time, then scope, then (by the caller) whether the access key exists, then
//! the signature, then the session token.
//!
//! ```text
//! request ─ parse ─► Presented ─ check(now, expected) ─► look up access key ─ verify ─► PayloadClaim
//!                                                         SigningKey::derive (cache it) ┘
//! ```
//!
//! Every failure is an [`AuthError`], which knows what AWS would answer in each protocol.
//! Source: AWS IAM User Guide, "AWS Signature Version 4 for API requests"; the vectors of AWS's
//! signing test suite are in `tests/data`.

mod canonical;
mod encode;
mod error;
mod key;
mod payload;
mod presented;
mod request;
mod rules;
mod sign;
mod timestamp;
mod verify;

/// The request types of this crate's API.
pub use http;

pub use canonical::Scratch;
pub use error::{AuthError, Protocol, SignatureMismatch};
pub use key::SigningKey;
pub use payload::{Payload, PayloadClaim};
pub use presented::{Form, Presented, parse};
pub use request::RequestView;
pub use rules::{Expected, PathRule, PresignedWindow, Rules, UnsignedPayload};
pub use sign::{SignError, Signer};
pub use timestamp::Timestamp;
pub use verify::verify;

/// The only algorithm of Signature Version 4 with a shared secret.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
