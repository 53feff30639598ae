//! `ListEventBuses`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListEventBuses;
use haechi_events_model::shapes::{EventBus, ListEventBusesRequest, ListEventBusesResponse};
use haechi_wire::Timestamp;

use crate::paging::page;
use crate::store::BusRecord;
use crate::{Events, bus};

impl Handle<ListEventBuses> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListEventBusesRequest,
    ) -> Result<ListEventBusesResponse, Error> {
        cx.authorize_any()?;
        let rows = self.database.list_all::<BusRecord>(&bus::place(cx).buses()).await?;
        let mut buses: Vec<EventBus> = rows
            .into_iter()
            .map(|row| row.value)
            .map(|record| EventBus {
                arn: Some(bus::arn(cx, &record.name)),
                creation_time: Some(Timestamp::from_millis(record.created_ms)),
                last_modified_time: Some(Timestamp::from_millis(record.modified_ms)),
                policy: record.policy,
                description: record.description,
                name: Some(record.name),
                ..Default::default()
            })
            .collect();
        let name = |bus: &EventBus| bus.name.clone().unwrap_or_default();
        if !buses.iter().any(|bus| name(bus) == bus::DEFAULT) {
            let default = Some(bus::DEFAULT.to_owned());
            let arn = Some(bus::arn(cx, bus::DEFAULT));
            buses.push(EventBus { name: default, arn, ..Default::default() });
        }
        let prefix = input.name_prefix.unwrap_or_default();
        buses.retain(|bus| name(bus).starts_with(&prefix));
        buses.sort_by_key(name);
        let named = |bus: &EventBus| -> String { name(bus) };
        let buses: Vec<(String, EventBus)> =
            buses.into_iter().map(|bus| (named(&bus), bus)).collect();
        let (shown, next_token) =
            page(buses, |(name, _)| name, input.limit, input.next_token.as_deref());
        let event_buses = Some(shown.into_iter().map(|(_, bus)| bus).collect());
        Ok(ListEventBusesResponse { event_buses, next_token })
    }
}
