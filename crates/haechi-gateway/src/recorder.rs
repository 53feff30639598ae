//! From what is known of a call to its records in the audit log: one, one more for each other
//! account that owns what was touched, and those of the calls that services made for it.

use std::borrow::Cow;

use haechi_core::{AuditLog, Cx, Env, MadeCall};
use haechi_wire::{Fault, Problem, Protocol};

use crate::record::{Event, other_owners, record};
use crate::serve::unavailable;
use crate::shown;

/// The records of a call, gathered, so that the call waits for the disk once.
pub(crate) struct Recorder<'a> {
    env: &'a Env,
    records: Vec<Vec<u8>>,
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
    let mut recorder = Recorder::new(&cx.env);
    let (resources, details) = (cx.noted(), cx.told());
    let protocols = cx.operation.service.protocols;
    let event = Event {
        service: cx.operation.service,
        operation: cx.operation.name,
        protocol: protocols.first().copied().unwrap_or(Protocol::Json11),
        request: &cx.request,
        request_id: &cx.request.id,
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
        shared_event_id: None,
        owner: None,
        node: None,
        made: None,
        refused: None,
    };
    for made in cx.made() {
        recorder.made(&made, &event)?;
    }
    if outcome.is_some() {
        recorder.call(&event)?;
    }
    write(recorder.records, audit).await
}

/// Records a call that a service made for itself, with no request that it answers, and those that
/// services made for it.
///
/// # Errors
/// If the audit log cannot be written.
pub async fn record_made(audit: &dyn AuditLog, cx: &Cx, made: &MadeCall) -> Result<(), Fault> {
    let mut recorder = Recorder::new(&cx.env);
    let refused = if made.problem.is_some() { cx.refused() } else { None };
    let event = Event {
        service: made.operation.service,
        operation: made.operation.name,
        protocol: Protocol::Json11,
        request: &cx.request,
        request_id: &cx.request.id,
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
        recorder.made(&other, &event)?;
    }
    recorder.call(&event)?;
    write(recorder.records, audit).await
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(env: &'a Env) -> Recorder<'a> {
        Recorder { env, records: Vec::new() }
    }

    fn id(&self) -> Result<String, Fault> {
        Ok(self.env.uuid().map_err(Fault::internal)?.to_string())
    }

    /// Adds a call that a service made for the one of `event`.
    pub(crate) fn made(&mut self, made: &MadeCall, event: &Event<'_>) -> Result<(), Fault> {
        let request_id = self.id()?;
        let is_change = !made.operation.read_only && made.problem.is_none();
        let elements = if is_change {
            let (service, written) = (made.operation.service.name, made.elements.clone());
            Cow::Owned(shown::elements(service, written, &made.resources))
        } else {
            Cow::Borrowed(made.elements.as_slice())
        };
        self.call(&Event {
            service: made.operation.service,
            operation: made.operation.name,
            request_id: &request_id,
            host: None,
            tls: None,
            region: Some(&made.region),
            caller: Some(&made.caller),
            read_only: made.operation.read_only,
            parameters: &made.parameters,
            elements: &elements,
            problem: None,
            resources: &made.resources,
            details: &made.details,
            event_id: &made.event_id,
            refused: None,
            made: Some(made),
            ..*event
        })
    }

    /// Adds a call: its record, and those for the other accounts that own what was touched.
    pub(crate) fn call(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        let owners = other_owners(event.caller, event.resources);
        let shared = if owners.is_empty() { None } else { Some(self.id()?) };
        let event = Event { shared_event_id: shared.as_deref(), ..*event };
        self.records.push(record(&event));
        for owner in owners {
            let event_id = self.id()?;
            self.records.push(record(&Event { event_id: &event_id, owner: Some(owner), ..event }));
        }
        Ok(())
    }

    /// All that were added.
    pub(crate) fn records(self) -> Vec<Vec<u8>> {
        self.records
    }
}

/// Puts records on disk, all or none.
pub(crate) async fn write(mut records: Vec<Vec<u8>>, audit: &dyn AuditLog) -> Result<(), Fault> {
    let message = "The request could not be recorded in the audit log. It may have been done.";
    let appended = match records.pop() {
        None => Ok(()),
        Some(only) if records.is_empty() => audit.append(only).await,
        Some(last) => {
            records.push(last);
            audit.append_all(records).await
        }
    };
    appended.map_err(|error| unavailable(message, error))
}
