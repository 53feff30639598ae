//! `UpdateApiDestination`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::UpdateApiDestination;
use haechi_events_model::shapes::{UpdateApiDestinationRequest, UpdateApiDestinationResponse};
use haechi_wire::Timestamp;

use crate::{Events, api_destination, endpoint};

impl Handle<UpdateApiDestination> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateApiDestinationRequest,
    ) -> Result<UpdateApiDestinationResponse, Error> {
        let found = self.api_destination(cx, &input.name).await?;
        let mut record = found.value.clone();
        if let Some(arn) = input.connection_arn {
            self.connection_for(cx, &arn).await?;
            record.connection_arn = arn;
        }
        if let Some(url) = input.invocation_endpoint {
            endpoint::check("InvocationEndpoint", &url)?;
            record.endpoint = url;
        }
        if input.description.is_some() {
            record.description = input.description.filter(|text| !text.is_empty());
        }
        if let Some(method) = input.http_method {
            method.as_str().clone_into(&mut record.method);
        }
        record.rate_per_second =
            input.invocation_rate_limit_per_second.unwrap_or(record.rate_per_second);
        record.modified_ms = cx.now().millis();
        let connection = self.connection_at(&record.connection_arn).await?;
        let connection = connection.as_ref().map(|found| &found.value);
        let mut batch = Batch::new();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        Ok(UpdateApiDestinationResponse {
            api_destination_arn: Some(api_destination::arn(cx, &record)),
            api_destination_state: Some(api_destination::state(connection)),
            creation_time: Some(Timestamp::from_millis(record.created_ms)),
            last_modified_time: Some(Timestamp::from_millis(record.modified_ms)),
        })
    }
}
