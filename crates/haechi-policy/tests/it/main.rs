//! Decisions, properties and explanations, through the public interface.
//!
//! `tables/` holds the decisions, each with the title of the page that it follows; a new one is a
//! new line there. `reference` is a second evaluator, slow and straight from the documentation,
//! that `properties` compares with.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cast;
mod evaluation;
mod explanation;
mod grants;
mod properties;
mod reference;
mod tables;
