//! From what is known of a call to its records in the audit log: one, one more for each other
//! account that owns what was touched, and those of the calls that services made for it.

use haechi_core::{AuditLog, Cx, Env, MadeCall, RequestInfo};
use haechi_wire::{Fault, Problem, Protocol};

use crate::record::{Event, other_owners, record};
use crate::serve::unavailable;

/// Writes records.
pub(crate) struct Recorder<'a> {
    pub(crate) audit: &'a dyn AuditLog,
    pub(crate) env: &'a Env,
}

/// Records a call that came without a request: an operator's command, or a service that acts by
/// itself; and the calls that services made for it. `parameters` and `elements` are JSON, redacted;
/// empty for none. For work that is no call of its own `outcome` is `None`, and only what was made
/// for it is recorded.
///
/// # Errors
/// If the audit log cannot be written.
pub async fn record_unsent(
    audit: &dyn AuditLog,
    cx: &Cx,
    parameters: &[u8],
    outcome: Option<Result<&[u8], &Problem>>,
) -> Result<(), Fault> {
    let recorder = Recorder { audit, env: &cx.env };
    let (resources, details) = (cx.noted(), cx.told());
    let owners = other_owners(Some(&cx.caller), &resources);
    let shared = if owners.is_empty() { None } else { Some(recorder.id()?) };
    let protocols = cx.operation.service.protocols;
    let event = Event {
        service: cx.operation.service,
        operation: cx.operation.name,
        protocol: protocols.first().copied().unwrap_or(Protocol::Json11),
        request: &cx.request,
        host: None,
        tls: None,
        region: Some(&cx.region),
        caller: Some(&cx.caller),
        access_key_id: None,
        read_only: cx.operation.read_only,
        parameters,
        elements: outcome.as_ref().and_then(|outcome| outcome.ok()).unwrap_or_default(),
        problem: outcome.and_then(Result::err),
        resources: &resources,
        details: &details,
        event_id: cx.event_id()?,
        shared_event_id: shared.as_deref(),
        owner: None,
        node: None,
        made: None,
        refused: None,
    };
    for made in cx.made() {
        recorder.record_made(&made, &event).await?;
    }
    match outcome {
        Some(_) => recorder.record(&event, &owners).await,
        None => Ok(()),
    }
}

/// Records a call that a service made for itself, with no request that it answers, and those that
/// services made for it.
///
/// # Errors
/// If the audit log cannot be written.
pub async fn record_made(audit: &dyn AuditLog, cx: &Cx, made: &MadeCall) -> Result<(), Fault> {
    let recorder = Recorder { audit, env: &cx.env };
    let refused = if made.problem.is_some() { cx.refused() } else { None };
    let event = Event {
        service: made.operation.service,
        operation: made.operation.name,
        protocol: Protocol::Json11,
        request: &cx.request,
        host: None,
        tls: None,
        region: Some(&made.region),
        caller: Some(&made.caller),
        access_key_id: None,
        read_only: made.operation.read_only,
        parameters: &made.parameters,
        elements: &made.elements,
        problem: None,
        resources: &made.resources,
        details: &made.details,
        event_id: &made.event_id,
        shared_event_id: None,
        owner: None,
        node: None,
        made: Some(made),
        refused: refused.as_ref(),
    };
    for other in cx.made() {
        recorder.record_made(&other, &event).await?;
    }
    let owners = other_owners(Some(&made.caller), &made.resources);
    let shared = if owners.is_empty() { None } else { Some(recorder.id()?) };
    recorder.record(&Event { shared_event_id: shared.as_deref(), ..event }, &owners).await
}

impl Recorder<'_> {
    fn id(&self) -> Result<String, Fault> {
        Ok(self.env.uuid().map_err(Fault::internal)?.to_string())
    }

    /// Records a call that a service made for this one.
    pub(crate) async fn record_made(
        &self,
        made: &MadeCall,
        event: &Event<'_>,
    ) -> Result<(), Fault> {
        let owners = other_owners(Some(&made.caller), &made.resources);
        let shared = if owners.is_empty() { None } else { Some(self.id()?) };
        let request = RequestInfo { id: self.id()?, ..event.request.clone() };
        let event = Event {
            service: made.operation.service,
            operation: made.operation.name,
            request: &request,
            host: None,
            tls: None,
            region: Some(&made.region),
            caller: Some(&made.caller),
            read_only: made.operation.read_only,
            parameters: &made.parameters,
            elements: &made.elements,
            problem: None,
            resources: &made.resources,
            details: &made.details,
            event_id: &made.event_id,
            shared_event_id: shared.as_deref(),
            refused: None,
            made: Some(made),
            ..*event
        };
        self.record(&event, &owners).await
    }

    /// Writes a record, and those for the other accounts that own what was touched.
    pub(crate) async fn record(&self, event: &Event<'_>, owners: &[&str]) -> Result<(), Fault> {
        self.append(event).await?;
        for owner in owners {
            let event_id = self.id()?;
            self.append(&Event { event_id: &event_id, owner: Some(owner), ..*event }).await?;
        }
        Ok(())
    }

    async fn append(&self, event: &Event<'_>) -> Result<(), Fault> {
        let message = "The request could not be recorded in the audit log. It may have been done.";
        let appended = self.audit.append(record(event)).await;
        appended.map_err(|error| unavailable(message, error))
    }
}
