//! `ListApiDestinations`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListApiDestinations;
use haechi_events_model::shapes::{
    ApiDestination, ListApiDestinationsRequest, ListApiDestinationsResponse,
};
use haechi_wire::Timestamp;

use crate::paging::page;
use crate::store::ApiDestinationRecord;
use crate::{Events, api_destination, bus};

impl Handle<ListApiDestinations> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListApiDestinationsRequest,
    ) -> Result<ListApiDestinationsResponse, Error> {
        cx.authorize_any()?;
        let all = bus::place(cx).api_destinations();
        let rows = self.database.list_all::<ApiDestinationRecord>(&all).await?;
        let prefix = input.name_prefix.unwrap_or_default();
        let wanted = |record: &ApiDestinationRecord| {
            let of_connection = |arn: &String| record.connection_arn == *arn;
            record.name.starts_with(&prefix)
                && input.connection_arn.as_ref().is_none_or(of_connection)
        };
        let mut all: Vec<ApiDestinationRecord> =
            rows.into_iter().map(|row| row.value).filter(wanted).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let token = input.next_token.as_deref();
        let (page, next_token) = page(all, |record| &record.name, input.limit, token);
        let mut shown = Vec::with_capacity(page.len());
        for record in page {
            let connection = self.connection_at(&record.connection_arn).await?;
            let connection = connection.as_ref().map(|found| &found.value);
            shown.push(ApiDestination {
                api_destination_arn: Some(api_destination::arn(cx, &record)),
                api_destination_state: Some(api_destination::state(connection)),
                http_method: api_destination::method(&record),
                invocation_rate_limit_per_second: Some(record.rate_per_second),
                creation_time: Some(Timestamp::from_millis(record.created_ms)),
                last_modified_time: Some(Timestamp::from_millis(record.modified_ms)),
                connection_arn: Some(record.connection_arn),
                invocation_endpoint: Some(record.endpoint),
                name: Some(record.name),
            });
        }
        Ok(ListApiDestinationsResponse { api_destinations: Some(shown), next_token })
    }
}
