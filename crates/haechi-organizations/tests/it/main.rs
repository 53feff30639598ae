//! Organizations through its operations, as the gateway calls them, and what its policies decide on
//! keys. (With real clients and a real KMS: `organizations.py` of `haechi-conformance`.)

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod world;

mod access;
mod accounts;
mod effective_policy;
mod guardrails;
mod handshakes;
mod lifecycle;
mod policies;
mod services;
mod units;
