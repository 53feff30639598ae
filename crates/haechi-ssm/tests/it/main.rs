//! Parameter Store through its handlers, on a real KMS, with a clock that the tests move.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod access;
mod events;
mod history;
mod limits;
mod lists;
mod parameters;
mod policies;
mod public;
mod secure;
mod settings;
mod sharing;
mod tags;
mod world;
