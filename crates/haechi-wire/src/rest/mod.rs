//! The REST protocols' bindings: what of an input stands in the path, the query string and the
//! headers, what of an output in the headers and the status, and which operation method and path name.
//!
//! Bodies are JSON documents ([`json`](crate::json)), or, where the model says *payload*, the bytes
//! of one member. Source: Smithy 2.0, "HTTP binding traits" and "AWS restJson1 protocol".
//!
//! ```text
//! route.rs   method and path to an operation, and the labels in the path
//! read.rs    RestReader: an input from labels, query, headers and body
//! write.rs   RestWriter: an output to status, headers and body
//! ```

mod read;
mod route;
mod write;

pub use read::{Request, RestReader};
pub use route::{Route, find};
pub use write::{Response, RestWriter};

#[cfg(test)]
mod tests;
