//! Buses by name or ARN, and whether the caller may do what he asks with them.

use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx, Facts, Loaded, Permit, Region};
use haechi_events_model::Error;
use haechi_policy::{Context, Document, Values};
use haechi_wire::Fault;

use crate::Events;
use crate::store::{BusRecord, Place, Tags};

/// The bus that every account has in every Region.
pub(crate) const DEFAULT: &str = "default";

/// The caller's account in the call's Region.
pub(crate) fn place(cx: &Cx) -> Place {
    Place::new(cx.account(), &cx.region)
}

/// The ARN of a bus of an account in a Region.
pub(crate) fn full_arn((account, region): (&AccountId, &Region), name: &str) -> String {
    format!("arn:{}:events:{region}:{account}:event-bus/{name}", region.partition())
}

pub(crate) fn arn(cx: &Cx, name: &str) -> String {
    cx.arn("events", &format!("event-bus/{name}"))
}

/// The name in a bus's name or ARN; none means the default bus. A bus of another account or Region
/// is not reached from here.
pub(crate) fn name<'a>(cx: &Cx, named: Option<&'a str>) -> Result<&'a str, Error> {
    let Some(named) = named else { return Ok(DEFAULT) };
    if !named.starts_with("arn:") {
        return Ok(named);
    }
    let name = named.split_once(":event-bus/").map_or("", |(_, name)| name);
    if named == arn(cx, name) { Ok(name) } else { Err(missing(named)) }
}

pub(crate) fn missing(name: &str) -> Error {
    Error::ResourceNotFoundException(format!("Event bus {name} does not exist."))
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Fault::Validation(message.into()).into()
}

/// Decides this operation on a resource of the caller's account.
pub(crate) fn allow(cx: &Cx, resource: &str) -> Result<Permit, Error> {
    Ok(cx.authorize_on(resource)?)
}

/// A bus's policy, read; none if it has none.
pub(crate) type BusPolicy = Option<Arc<Document>>;

/// Condition keys of an event that is put on a bus.
pub(crate) struct EventContext<'a> {
    pub(crate) source: &'a str,
    pub(crate) detail_type: &'a str,
    /// Whether a rule of another bus puts it there.
    pub(crate) is_passed_on: bool,
}

impl Context for EventContext<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "events:source" => Some(Values::one(self.source)),
            "events:detail-type" => Some(Values::one(self.detail_type)),
            "events:eventbusinvocation" => {
                Some(Values::one(if self.is_passed_on { "true" } else { "false" }))
            }
            _ => None,
        }
    }
}

/// The record of a bus that is changed for the first time: the default one.
pub(crate) fn new_record(cx: &Cx, name: &str) -> BusRecord {
    let now_ms = cx.now().millis();
    BusRecord {
        name: name.to_owned(),
        tags: Tags::new(),
        created_ms: now_ms,
        modified_ms: now_ms,
        unknown: Unknown::new(),
        ..BusRecord::default()
    }
}

impl Events {
    /// The policy of a bus; `None` if there is no such bus.
    pub(crate) async fn bus_policy(
        &self,
        account: &AccountId,
        region: &Region,
        name: &str,
    ) -> Result<Option<Arc<BusPolicy>>, Fault> {
        let path = Place::new(account, region).bus(name);
        let read = |record: BusRecord| {
            let compile = |text: &str| record.policy_principals.compile(text);
            record.policy.as_deref().map(compile).transpose()
        };
        let found = self.database.cached(&path, read).await?;
        Ok(found.or_else(|| (name == DEFAULT).then(Arc::default)))
    }

    /// Decides this operation on a bus of the caller's account, by its tags too.
    pub(crate) async fn allow_bus(&self, cx: &Cx, name: &str) -> Result<(), Error> {
        let found = self.bus(&place(cx), name).await?;
        let facts = found.as_ref().map(|bus| Facts::of(&bus.value.tags)).unwrap_or_default();
        cx.authorize_knowing(&arn(cx, name), &facts)?;
        Ok(())
    }

    /// Changes the record of a bus of the caller's.
    pub(crate) async fn change_bus(
        &self,
        cx: &Cx,
        name: &str,
        change: impl FnOnce(&mut BusRecord) -> Result<(), Error>,
    ) -> Result<BusRecord, Error> {
        let place = place(cx);
        let found = self.bus(&place, name).await?;
        let mut record = match &found {
            Some(found) => found.value.clone(),
            None if name == DEFAULT => new_record(cx, name),
            None => return Err(missing(name)),
        };
        change(&mut record)?;
        record.modified_ms = cx.now().millis();
        let mut batch = haechi_core::Batch::new();
        match &found {
            Some(found) => batch.replace(found, &record),
            None => batch.create(place.bus(name), &record),
        }
        self.database.commit(batch).await?;
        Ok(record)
    }

    /// A custom bus, or the default one where it has a row.
    pub(crate) async fn bus(
        &self,
        place: &Place,
        name: &str,
    ) -> Result<Option<Loaded<BusRecord>>, Fault> {
        self.database.load::<BusRecord>(&place.bus(name)).await
    }

    /// Fails where a bus does not exist.
    pub(crate) async fn require_bus(&self, place: &Place, name: &str) -> Result<(), Error> {
        if name == DEFAULT || self.bus(place, name).await?.is_some() {
            return Ok(());
        }
        Err(missing(name))
    }
}
