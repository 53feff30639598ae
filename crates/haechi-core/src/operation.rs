//! An API operation as a type, and who handles it.

use std::future::Future;

use haechi_wire::{Fault, OperationSchema, Problem, Shape};

use crate::Cx;

/// An operation of an AWS service; implemented by generated code.
pub trait Operation: 'static {
    /// What the model says of it.
    const SCHEMA: &'static OperationSchema;
    /// Its input.
    type Input: Shape + Clone + Send + Sync + 'static;
    /// Its output.
    type Output: Shape + Send + Sync + 'static;
    /// Its errors: the service's modelled ones, or a fault that any service may answer.
    type Error: From<Fault> + Into<Problem> + Send + 'static;
}

/// Whoever handles an operation.
///
/// A handler may be run again from the start with the same input, when what it read has changed
/// before it could write ([`Fault::Conflict`]); so its only effect is the one batch it commits.
pub trait Handle<Op: Operation>: Send + Sync + 'static {
    /// Loads, authorises, decides, saves.
    fn handle(
        &self,
        cx: &Cx,
        input: Op::Input,
    ) -> impl Future<Output = Result<Op::Output, Op::Error>> + Send;
}
