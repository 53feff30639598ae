//! Starts the real `haechi` binary and the real AWS clients, so that tests can bring them together.
//!
//! The tests stand in `tests/it`, their Python and JavaScript halves in `tests/scripts`. They see haechi only from
//! outside: what a user types, what a client sends, what lies on disk. No crate of haechi is linked
//! here. `cargo xtask test` builds the binary and installs the clients (`requirements*.txt`, `node/`).
//!
//! A helper that cannot do its work panics: that is how a test fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test harness: a panic with the reason is how a test fails"
)]

mod aws_cli;
mod client;
pub mod etcd;
mod folder;
mod http;
pub mod postgres;
mod relay;
mod server;

pub use client::{
    Outcome, aws, clean, encryption_python, node_modules, outcome, program, python, python_command,
    script,
};
pub use folder::{Entry, entries, fingerprint, mode, places_of};
pub use http::{Answer, exchange, request, send};
pub use relay::Relay;
pub use server::{Launch, Ready, Refusal, Server, haechi};
