//! API destinations: by name or ARN, what is accepted, how they are shown.

use haechi_core::{Cx, Loaded, Operation as _};
use haechi_events_model::Error;
use haechi_events_model::ops::CreateApiDestination;
use haechi_events_model::shapes::{ApiDestinationHttpMethod, ApiDestinationState, ConnectionState};
use haechi_wire::Fault;

use crate::connection::Named;
use crate::store::{ApiDestinationRecord, ConnectionRecord, Place};
use crate::{Events, bus, connection};

/// API destinations of an account in a Region, at most (quota).
pub(crate) const API_DESTINATIONS_MAX: u32 = 3000;

const KIND: &str = "api-destination";

/// Whether a target's ARN names an API destination.
pub(crate) fn is_one(arn: &str) -> bool {
    Named::parse(arn, KIND).is_some()
}

/// Refuses an API destination of another account or Region as a target.
pub(crate) fn require_own(cx: &Cx, arn: &str) -> Result<(), Error> {
    let is_own = Named::parse(arn, KIND)
        .is_some_and(|named| named.account == *cx.account() && named.region == cx.region);
    if is_own {
        return Ok(());
    }
    Err(bus::invalid(format!(
        "Parameter {arn} is not valid. Reason: The API destination must be of the rule's account \
         and Region."
    )))
}

/// The resource that policies name, of an API destination of the caller's account.
pub(crate) fn resource(cx: &Cx, name: &str) -> String {
    cx.arn("events", &format!("{KIND}/{name}"))
}

pub(crate) fn arn(cx: &Cx, record: &ApiDestinationRecord) -> String {
    cx.arn("events", &format!("{KIND}/{}/{}", record.name, record.id))
}

pub(crate) fn missing(name: &str) -> Error {
    Error::ResourceNotFoundException(format!(
        "Failed to describe the api-destination(s). An api-destination '{name}' does not exist."
    ))
}

pub(crate) fn method(record: &ApiDestinationRecord) -> Option<ApiDestinationHttpMethod> {
    ApiDestinationHttpMethod::parse(&record.method)
}

/// A destination can be called while its connection is authorized.
pub(crate) fn state(connection: Option<&ConnectionRecord>) -> ApiDestinationState {
    match connection {
        Some(record) if connection::is(record, ConnectionState::Authorized) => {
            ApiDestinationState::Active
        }
        _ => ApiDestinationState::Inactive,
    }
}

impl Events {
    /// An API destination that the caller may call this operation on.
    pub(crate) async fn api_destination(
        &self,
        cx: &Cx,
        name: &str,
    ) -> Result<Loaded<ApiDestinationRecord>, Error> {
        bus::allow(cx, &resource(cx, name))?;
        let path = bus::place(cx).api_destination(name);
        let found = self.database.load::<ApiDestinationRecord>(&path).await?;
        found.ok_or_else(|| missing(name))
    }

    /// The API destination that an ARN names.
    pub(crate) async fn api_destination_at(
        &self,
        arn: &str,
    ) -> Result<Option<ApiDestinationRecord>, Fault> {
        let Some(named) = Named::parse(arn, KIND) else { return Ok(None) };
        let path = Place::new(&named.account, &named.region).api_destination(named.name);
        let found = self.database.load::<ApiDestinationRecord>(&path).await?;
        Ok(found.map(|found| found.value).filter(|record| record.id == named.id))
    }

    /// The connection that a destination of the caller's is to have: one of his own, here.
    pub(crate) async fn connection_for(
        &self,
        cx: &Cx,
        arn: &str,
    ) -> Result<ConnectionRecord, Error> {
        let gone =
            || Error::ResourceNotFoundException(format!("Connection '{arn}' does not exist."));
        let named = Named::parse(arn, "connection").ok_or_else(gone)?;
        // AWS asks for the connection where a destination is made, and not where it is changed.
        if cx.operation.name == CreateApiDestination::SCHEMA.name {
            bus::allow(cx, &connection::resource(cx, named.name))?;
        }
        if named.account != *cx.account() || named.region != cx.region {
            return Err(gone());
        }
        Ok(self.connection_at(arn).await?.ok_or_else(gone)?.value)
    }
}
