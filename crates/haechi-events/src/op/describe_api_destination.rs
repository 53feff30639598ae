//! `DescribeApiDestination`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DescribeApiDestination;
use haechi_events_model::shapes::{DescribeApiDestinationRequest, DescribeApiDestinationResponse};
use haechi_wire::Timestamp;

use crate::{Events, api_destination};

impl Handle<DescribeApiDestination> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeApiDestinationRequest,
    ) -> Result<DescribeApiDestinationResponse, Error> {
        let record = self.api_destination(cx, &input.name).await?.value;
        let connection = self.connection_at(&record.connection_arn).await?;
        let connection = connection.as_ref().map(|found| &found.value);
        Ok(DescribeApiDestinationResponse {
            api_destination_arn: Some(api_destination::arn(cx, &record)),
            api_destination_state: Some(api_destination::state(connection)),
            http_method: api_destination::method(&record),
            invocation_rate_limit_per_second: Some(record.rate_per_second),
            creation_time: Some(Timestamp::from_millis(record.created_ms)),
            last_modified_time: Some(Timestamp::from_millis(record.modified_ms)),
            connection_arn: Some(record.connection_arn),
            invocation_endpoint: Some(record.endpoint),
            description: record.description,
            name: Some(record.name),
        })
    }
}
