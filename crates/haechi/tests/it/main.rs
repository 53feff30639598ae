//! The built binary: what it refuses, what it writes, how it stops, and that a first start which
//! was cut off anywhere is completed by the next.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that cannot go on must stop"
)]

mod authorization;
mod configuration;
mod first_start;
mod operator;
mod rekey;
mod run;
mod serving;
mod shamir;
