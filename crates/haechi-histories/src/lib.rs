//! Judges recorded histories: did what concurrent clients saw happen in some one order?
//!
//! Tests let clients work on a store while servers die, record what each was told and when, and ask
//! here whether that is possible of a store that keeps its promises. No crate of haechi is needed.
//!
//! ```text
//! register.rs   one value that is read, written, compared and set: linearizability
//! set.rs        elements that are added and must be there at the end
//! recorder.rs   the order of calls and answers
//! ```

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "support of tests: a panic is how a test fails"
)]

mod recorder;
mod register;
mod set;

pub use recorder::Recorder;
pub use register::{Action, Call, Verdict, linearizable};
pub use set::{Added, missing_or_foreign};
