//! `PutEvents`.

use haechi_core::{AccountId, Ask, Batch, Cx, Event, Handle, Resource};
use haechi_events_model::Error;
use haechi_events_model::ops::PutEvents;
use haechi_events_model::shapes::{
    PutEventsRequest, PutEventsRequestEntry, PutEventsResponse, PutEventsResultEntry,
};
use haechi_policy::ResourceRule;
use serde_json::Value;

use crate::bus::EventContext;
use crate::matching::Bus;
use crate::{Events, bus};

/// Bytes of all entries of a request (Quotas, "PutEvents entry size").
///
/// AWS takes a megabyte, which is more than one transaction holds of what rules make of an event.
const BYTES_MAX: usize = 262_144;

/// Levels of a detail, at most: what an event is wrapped in on its way must be readable still.
const DEPTH_MAX: usize = 100;

impl Handle<PutEvents> for Events {
    async fn handle(&self, cx: &Cx, input: PutEventsRequest) -> Result<PutEventsResponse, Error> {
        if input.endpoint_id.is_some() {
            return Err(cx.unsupported_parameter("EndpointId").into());
        }
        for entry in &input.entries {
            self.admit(cx, entry).await?;
        }
        if input.entries.iter().map(size).sum::<usize>() > BYTES_MAX {
            let told = "Total size of the entries in the request is over the limit.";
            return Err(bus::invalid(told));
        }
        let (mut batch, mut entries, mut failed) = (Batch::new(), Vec::new(), 0);
        for entry in input.entries {
            match self.event(cx, entry).await? {
                Ok(event) => {
                    batch.emit(&event)?;
                    let event_id = Some(event.id);
                    entries.push(PutEventsResultEntry { event_id, ..Default::default() });
                }
                Err(refused) => {
                    failed += 1;
                    entries.push(refused);
                }
            }
        }
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(PutEventsResponse { failed_entry_count: Some(failed), entries: Some(entries) })
    }
}

/// Bytes that count: source, type, detail, resources, and 14 for a time.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let resources: usize = entry.resources.iter().flatten().map(String::len).sum();
    let time = if entry.time.is_some() { 14 } else { 0 };
    text(&entry.source) + text(&entry.detail_type) + text(&entry.detail) + resources + time
}

fn refused(code: &str, message: &str) -> PutEventsResultEntry {
    PutEventsResultEntry {
        error_code: Some(code.to_owned()),
        error_message: Some(message.to_owned()),
        ..Default::default()
    }
}

/// The levels of a value.
fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// The account and name of the bus that an entry names. A bus of another Region is not reached from
/// here: the event goes to one that does not exist.
fn whose<'a>(cx: &Cx, named: Option<&'a str>) -> (AccountId, &'a str) {
    let own = |name| (cx.account().clone(), name);
    match named {
        None => own(bus::DEFAULT),
        Some(arn) if arn.starts_with("arn:") => match Bus::parse(arn) {
            Some(bus) if bus.region == cx.region => {
                (bus.account, arn.split_once(":event-bus/").map_or("", |(_, name)| name))
            }
            _ => own(arn),
        },
        Some(name) => own(name),
    }
}

impl Events {
    /// Decides whether the caller may put an entry on its bus.
    async fn admit(&self, cx: &Cx, entry: &PutEventsRequestEntry) -> Result<(), Error> {
        let (account, name) = whose(cx, entry.event_bus_name.as_deref());
        let policy = self.bus_policy(&account, &cx.region, name).await?;
        let policy = policy.unwrap_or_default();
        let context = EventContext {
            source: entry.source.as_deref().unwrap_or_default(),
            detail_type: entry.detail_type.as_deref().unwrap_or_default(),
            is_passed_on: false,
        };
        let arn = bus::full_arn((&account, &cx.region), name);
        cx.authorize(&Ask {
            action: cx.operation.action,
            resource: &arn,
            resource_account: account.as_str(),
            policy: policy.as_ref().as_ref(),
            rule: ResourceRule::Union,
            context: &context,
        })?;
        cx.note(Resource { arn, account: account.to_string(), kind: "AWS::Events::EventBus" });
        Ok(())
    }

    /// The event of an entry, or how the entry is refused.
    async fn event(
        &self,
        cx: &Cx,
        entry: PutEventsRequestEntry,
    ) -> Result<Result<Event, PutEventsResultEntry>, Error> {
        let missing = |name: &str| {
            let told =
                format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            Ok(Err(refused("InvalidArgument", &told)))
        };
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let Some(source) = given(entry.source) else { return missing("Source") };
        let Some(detail_type) = given(entry.detail_type) else { return missing("DetailType") };
        let Some(detail) = given(entry.detail) else { return missing("Detail") };
        if source.to_ascii_lowercase().starts_with("aws.") {
            let told = "Not authorized for the source.";
            return Ok(Err(refused("NotAuthorizedForSourceException", told)));
        }
        let detail = match serde_json::from_str::<Value>(&detail) {
            Ok(detail) if detail.is_object() && depth(&detail) <= DEPTH_MAX => detail,
            _ => return Ok(Err(refused("MalformedDetail", "Detail is malformed."))),
        };
        let (account, bus) = whose(cx, entry.event_bus_name.as_deref());
        let whose = (cx.account(), &cx.region);
        let kind = (source.as_str(), detail_type.as_str());
        let event = Event::new(&cx.env, whose, entry.time.unwrap_or(cx.now()), kind, detail)?;
        let (received_ms, trace) = (Some(cx.now().millis()), entry.trace_header);
        let event = Event { received_ms, trace, ..event };
        // An event on a bus that does not exist is taken, and reaches nobody: as with AWS.
        let event = event.on(&account, &cx.region, bus);
        Ok(Ok(event.about(entry.resources.unwrap_or_default())))
    }
}
