//! The audit trail of what services do when nobody calls: schedules that fall due, events that pass
//! on in the name of a role.

use std::sync::Arc;

use haechi_core::{AuditLog, Cx, MadeCall};
use haechi_wire::{Fault, Problem, Protocol};

/// Writes such records.
pub struct Recorder(pub Arc<dyn AuditLog>);

/// What a call was given, and what came of it.
pub struct Told {
    /// The service that called, as in service principals.
    pub service: &'static str,
    /// JSON of the input, redacted.
    pub parameters: Vec<u8>,
    /// JSON of the output, redacted; empty for none.
    pub elements: Vec<u8>,
    /// Why it was not done.
    pub problem: Option<(&'static str, String)>,
}

impl Recorder {
    /// Fails if a call must not be made, because it could not be recorded.
    ///
    /// # Errors
    /// [`Fault::Unavailable`].
    pub fn check(&self) -> Result<(), Fault> {
        if self.0.is_healthy() {
            return Ok(());
        }
        let message = "The audit log cannot be written. Nothing was done.";
        Err(Fault::Unavailable { message, source: message.into() })
    }

    /// Puts the record of a call, and of those that it made, on disk.
    ///
    /// # Errors
    /// If that fails: the call may have been done.
    pub async fn record(&self, cx: &Cx, told: Told) -> Result<(), Fault> {
        let own = MadeCall {
            operation: cx.operation,
            service: told.service,
            caller: Arc::clone(&cx.caller),
            region: cx.region.clone(),
            event_id: cx.event_id()?.to_owned(),
            parameters: told.parameters,
            elements: told.elements,
            problem: told.problem,
            resources: cx.noted(),
            details: cx.told(),
        };
        haechi_gateway::record_made(&*self.0, cx, &own).await
    }
}

/// The code and message of a problem, as records tell them.
pub fn told(problem: &Problem) -> (&'static str, String) {
    let code = match problem {
        Problem::Fault(Fault::AccessDenied(_)) => "AccessDenied",
        other => other.code(Protocol::Json11),
    };
    (code, problem.message())
}
