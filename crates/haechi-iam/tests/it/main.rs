//! IAM through the test kit.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails must stop")]

mod access_keys;
mod accounts;
mod cast;
mod concurrency;
mod granting;
mod groups;
mod identities;
mod last_used;
mod listing;
mod managed;
mod mfa;
mod passwords;
mod policies;
mod providers;
mod public_keys;
mod reports;
mod roles;
mod service_credentials;
mod simulation;
mod simulation_rules;
mod tags;
mod users;
