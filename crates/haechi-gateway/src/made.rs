//! Records of calls that services make for themselves, with no request that they answer.

use haechi_core::{Cx, MadeCall};
use haechi_wire::{Fault, Protocol};

use crate::record::{Event, other_owners, record};

/// The records of a call that a service made, in `cx`: for the caller's account, and for each other
/// one that owns what was touched.
///
/// # Errors
/// If randomness fails.
pub fn records(cx: &Cx, made: &MadeCall) -> Result<Vec<Vec<u8>>, Fault> {
    let new_id = || Ok::<_, Fault>(cx.env.uuid().map_err(Fault::internal)?.to_string());
    let owners = other_owners(Some(&made.caller), &made.resources);
    let shared = if owners.is_empty() { None } else { Some(new_id()?) };
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
        event_id: &made.event_id,
        shared_event_id: shared.as_deref(),
        owner: None,
        node: None,
        made: Some(made),
        refused: refused.as_ref(),
    };
    let mut records = vec![record(&event)];
    for owner in owners {
        let event_id = new_id()?;
        records.push(record(&Event { event_id: &event_id, owner: Some(owner), ..event }));
    }
    Ok(records)
}
