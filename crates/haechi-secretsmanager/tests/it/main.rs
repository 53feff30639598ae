//! Secrets Manager through its operations, as the gateway calls them, over the real KMS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod world;

mod changes;
mod creation;
mod cross_account;
mod decisions;
mod deletion;
mod elsewhere;
mod encryption;
mod functions;
mod labels;
mod listing;
mod many_values;
mod passwords;
mod policies;
mod replicas;
mod rotation;
mod values;
