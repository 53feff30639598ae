//! The gateway with real services behind it, over a real socket, byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that cannot go on must stop"
)]

mod audit;
mod bad_input;
mod connections;
mod notes;
mod rest;
mod signatures;
mod stage;
mod unsigned;
