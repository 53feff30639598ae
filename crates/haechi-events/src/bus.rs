//! Buses by name or ARN, and whether the caller may do what he asks with them.

use haechi_core::{Ask, Cx, Loaded, NoContext, Permit};
use haechi_events_model::Error;
use haechi_policy::ResourceRule;
use haechi_wire::Fault;

use crate::Events;
use crate::store::{BusRecord, Place};

/// The bus that every account has in every Region.
pub(crate) const DEFAULT: &str = "default";

/// The caller's account in the call's Region.
pub(crate) fn place(cx: &Cx) -> Place {
    Place { account: cx.account().to_string(), region: cx.region.to_string() }
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
    let permit = cx.authorize(&Ask {
        action: cx.operation.action,
        resource,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context: &NoContext,
    })?;
    Ok(permit)
}

impl Events {
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
