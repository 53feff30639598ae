//! AWS's External Key Store Proxy API, version 1: both ends.
//!
//! A KMS whose keys lie elsewhere asks an *external key store proxy* to encrypt and decrypt. Here is
//! the proxy ([`Server`], which `haechi xks` is) and the KMS's side of it ([`Client`], which keys of
//! origin `EXTERNAL_KEY_STORE` use). Requests are JSON over HTTPS, signed with Signature Version 4
//! for the service `kms-xks-proxy` by a credential that both ends were given.
//!
//! ```text
//! api.rs        operations, their paths, requests and answers
//! refusal.rs    the errors, their names and HTTP status
//! request.rs    a request's body, read (any bytes)
//! server.rs     path, signature, request, key manager, record, answer
//! listener.rs   HTTPS in front of the server
//! callers.rs    whose certificates it asks for
//! client.rs     what KMS asks, and what it makes of the answer
//! transport.rs  HTTPS to a proxy: certificates, time-out, connections kept
//! address.rs    addresses that a proxy may have
//! ```
//!
//! Source: "AWS KMS External Key Store Proxy API Specification", version 1 (November 2022).

pub mod address;
pub mod api;
pub mod callers;
pub mod client;
pub mod listener;
pub mod refusal;
pub mod request;
pub mod server;
pub mod transport;

pub use api::{Health, KeyMetadata, Operation, RequestMetadata};
pub use callers::Callers;
pub use client::{Client, Failure, Proxy};
pub use listener::{Listener, ListenerLimits};
pub use refusal::{ErrorName, Refusal};
pub use server::{Asked, KeyManager, KeyStore, Server};
pub use transport::{Https, HttpsOptions, Identity, Place, Transport, TransportError};

/// The service that requests are signed for.
pub const SIGNING_NAME: &str = "kms-xks-proxy";
