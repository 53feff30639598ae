//! Functions as callers and services see them, without running any.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod aliases;
mod asynchronous;
mod fixture;
mod mappings;
mod names;
mod recorded;
mod tags;
mod whole;
