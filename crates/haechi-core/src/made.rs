//! Calls that services make on behalf of a caller: each gets an audit record of its own, which says
//! who made it (`invokedBy`). The gateway writes it before the caller's call is answered.

use std::sync::{Arc, Mutex, PoisonError};

use haechi_wire::audit::AuditWriter;
use haechi_wire::{Fault, OperationSchema, Problem, Protocol, Shape};

use crate::cx::Details;
use crate::{Caller, Cx, Handle, Operation, Region, Resource};

/// A call that was made, as its record tells it.
#[derive(Clone)]
pub struct MadeCall {
    /// What was called.
    pub operation: &'static OperationSchema,
    /// The service that called, as in service principals (`ssm`).
    pub service: &'static str,
    /// On whose behalf.
    pub caller: Arc<Caller>,
    /// Where.
    pub region: Region,
    /// The id of the record.
    pub event_id: String,
    /// JSON of the input and of the output, redacted; empty for none.
    pub parameters: Vec<u8>,
    /// The output; empty for calls that only read.
    pub elements: Vec<u8>,
    /// The code and message of its error.
    pub problem: Option<(&'static str, String)>,
    /// What it touched.
    pub resources: Vec<Resource>,
    /// `additionalEventData`.
    pub details: Details,
}

/// The calls made so far, shared by all that serve one request.
pub(crate) type MadeCalls = Arc<Mutex<Vec<MadeCall>>>;

fn redacted(shape: &impl Shape, schema: &'static haechi_wire::Schema) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    shape.write(&mut writer, schema);
    writer.finish()
}

fn told(problem: &Problem, operation: &OperationSchema) -> (&'static str, String) {
    let code = match problem {
        Problem::Fault(Fault::AccessDenied(_)) => "AccessDenied",
        other => {
            let protocol = operation.service.protocols.first().copied();
            other.code(protocol.unwrap_or(Protocol::Json11))
        }
    };
    (code, problem.message())
}

impl Cx {
    /// Makes the call that this context was forwarded for ([`Cx::forward`]), and keeps what its
    /// record is to tell.
    ///
    /// # Errors
    /// Whatever the operation answers; or if randomness fails.
    pub async fn perform<Op: Operation, S: Handle<Op>>(
        &self,
        service: &S,
        input: Op::Input,
    ) -> Result<Op::Output, Problem> {
        let parameters = redacted(&input, Op::SCHEMA.input);
        let outcome = service.handle(self, input).await.map_err(Into::into);
        let elements = match &outcome {
            Ok(output) if !Op::SCHEMA.read_only => redacted(output, Op::SCHEMA.output),
            _ => Vec::new(),
        };
        let problem = outcome.as_ref().err().map(|problem| told(problem, Op::SCHEMA));
        self.keep(Op::SCHEMA, (parameters, elements), problem)?;
        outcome
    }

    /// Keeps what this call did in another Region, whose record there is one of its own: of a call
    /// of `Op` that the service made on behalf of the caller.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn made_elsewhere<Op: Operation>(
        &self,
        service: &'static str,
        region: Region,
        (input, output): (&Op::Input, &Op::Output),
        resource: Resource,
    ) -> Result<(), Fault> {
        let mut call = self.forward(Op::SCHEMA, service);
        call.region = region;
        call.note(resource);
        let elements = redacted(output, Op::SCHEMA.output);
        call.keep(Op::SCHEMA, (redacted(input, Op::SCHEMA.input), elements), None)
    }

    fn keep(
        &self,
        operation: &'static OperationSchema,
        (parameters, elements): (Vec<u8>, Vec<u8>),
        problem: Option<(&'static str, String)>,
    ) -> Result<(), Fault> {
        let made = MadeCall {
            operation,
            service: self.via().last().copied().unwrap_or_default(),
            caller: Arc::clone(&self.caller),
            region: self.region.clone(),
            event_id: self.event_id()?.to_owned(),
            parameters,
            elements,
            problem,
            resources: self.noted(),
            details: self.told(),
        };
        let calls = self.shared_made();
        calls.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        Ok(())
    }
}
