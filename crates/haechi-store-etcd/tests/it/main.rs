//! The distributed engine against real etcd servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic with the reason is how a test fails"
)]

mod chaos;
mod contract;
mod faults;
mod load;
mod nodes;
mod promises;
mod proxy;
mod servers;
