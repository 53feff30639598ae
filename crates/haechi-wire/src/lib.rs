//! What travels between an AWS client and haechi, and nothing of what it means.
//!
//! AWS describes each service in a model: operations, and the *shapes* of their inputs and
//! outputs with their constraints. `cargo xtask codegen` turns a model into Rust that reads like
//! the model: `static` [`Schema`]s and plain structs, joined by the [`structure!`](crate::structure)
//! and [`enumeration!`](crate::enumeration) macros. A protocol is then written once, for all
//! services, as a pair of
//!
//! * [`Reader`]: a pull parser over a request ([`json`], [`query`], [`rest`]), and
//! * [`Writer`]: a sink for a response ([`json`], [`query`], [`rest`]) or an audit record ([`audit`]).
//!
//! Both are object safe, so shapes are compiled once and not once per protocol: with some 25
//! services on two cores that is the difference between a coffee and lunch.
//!
//! Reading also *validates*: each value meets its schema's constraints on the way in and the
//! [`Decoder`] gathers every breach, to be answered in AWS's own words ([`validate`]).
//!
//! [`Fault`] is what can go wrong in any operation of any service; [`error`] renders it, and the
//! modelled errors, as each protocol does.

pub mod audit;
mod buffer;
pub mod decode;
pub mod error;
pub mod json;
mod macros;
pub mod protocol;
pub mod query;
pub mod rest;
pub mod schema;
pub mod shape;
mod shown;
pub mod timestamp;
pub mod validate;
pub mod write;

pub use decode::{Decoder, Malformed, Reader};
pub use error::{Fault, Problem};
pub use protocol::Protocol;
pub use schema::{Member, OperationSchema, Schema, ServiceSchema};
pub use shape::{Blob, SecretBlob, SecretString, Shape};
pub use timestamp::Timestamp;
pub use write::Writer;
