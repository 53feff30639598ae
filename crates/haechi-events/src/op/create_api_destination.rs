//! `CreateApiDestination`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::CreateApiDestination;
use haechi_events_model::shapes::{CreateApiDestinationRequest, CreateApiDestinationResponse};
use haechi_wire::{Fault, Timestamp};

use crate::api_destination::{self, API_DESTINATIONS_MAX};
use crate::rate::RATE_DEFAULT;
use crate::store::ApiDestinationRecord;
use crate::{Events, bus, endpoint};

impl Handle<CreateApiDestination> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateApiDestinationRequest,
    ) -> Result<CreateApiDestinationResponse, Error> {
        bus::allow(cx, &api_destination::resource(cx, &input.name))?;
        let connection = self.connection_for(cx, &input.connection_arn).await?;
        endpoint::check("InvocationEndpoint", &input.invocation_endpoint)?;
        let place = bus::place(cx);
        let path = place.api_destination(&input.name);
        if self.database.load::<ApiDestinationRecord>(&path).await?.is_some() {
            let told = format!("An api-destination '{}' already exists.", input.name);
            return Err(Error::ResourceAlreadyExistsException(told));
        }
        let (all, most) = (place.api_destinations(), API_DESTINATIONS_MAX);
        let page = self.database.list::<ApiDestinationRecord>(&all, None, most).await?;
        if page.items.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            let told = "The requested resource exceeds the maximum number allowed.";
            return Err(Error::LimitExceededException(told.to_owned()));
        }
        let now_ms = cx.now().millis();
        let record = ApiDestinationRecord {
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            description: input.description,
            connection_arn: input.connection_arn,
            endpoint: input.invocation_endpoint,
            method: input.http_method.as_str().to_owned(),
            rate_per_second: input.invocation_rate_limit_per_second.unwrap_or(RATE_DEFAULT),
            created_ms: now_ms,
            modified_ms: now_ms,
            unknown: Unknown::new(),
            name: input.name,
        };
        let mut batch = Batch::new();
        batch.create(path, &record);
        self.database.commit(batch).await?;
        Ok(CreateApiDestinationResponse {
            api_destination_arn: Some(api_destination::arn(cx, &record)),
            api_destination_state: Some(api_destination::state(Some(&connection))),
            creation_time: Some(Timestamp::from_millis(now_ms)),
            last_modified_time: Some(Timestamp::from_millis(now_ms)),
        })
    }
}
