//! Functions as callers and services see them, without running any.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod aliases;
mod asynchronous;
mod code;
mod fixture;
mod mappings;
mod names;
mod recorded;
mod settings;
mod tags;
mod versions;
mod whole;
