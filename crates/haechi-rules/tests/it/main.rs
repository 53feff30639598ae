//! Patterns as their users see them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod matching;
mod properties;
mod refusals;
