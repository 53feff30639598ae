//! CloudTrail through its operations, in one process. Each module is one promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod announce;
mod delivery;
mod lookup;
mod organization;
mod trails;
mod world;
