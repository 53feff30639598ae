//! `CreateEventBus`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Facts, Handle, PrincipalIds};
use haechi_events_model::Error;
use haechi_events_model::ops::CreateEventBus;
use haechi_events_model::shapes::{CreateEventBusRequest, CreateEventBusResponse};

use crate::store::{BusRecord, Tags};
use crate::{Events, bus, tags};

impl Handle<CreateEventBus> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateEventBusRequest,
    ) -> Result<CreateEventBusResponse, Error> {
        let arn = bus::arn(cx, &input.name);
        let tags = input.tags.iter().flatten().map(|tag| (&tag.key, &tag.value));
        let facts = Facts::putting(tags);
        cx.authorize_knowing(&arn, &facts)?;
        cx.authorize_tagging("events:TagResource", &arn, &facts)?;
        cx.refuse_parameters(&[
            ("EventSourceName", input.event_source_name.is_some()),
            ("KmsKeyIdentifier", input.kms_key_identifier.is_some()),
            ("LogConfig", input.log_config.is_some()),
        ])?;
        if input.name.contains('/') {
            return Err(bus::invalid("Event bus name must not contain '/'."));
        }
        let place = bus::place(cx);
        if input.name == bus::DEFAULT || self.bus(&place, &input.name).await?.is_some() {
            let told = format!("Event bus {} already exists.", input.name);
            return Err(Error::ResourceAlreadyExistsException(told));
        }
        let now_ms = cx.now().millis();
        let record = BusRecord {
            description: input.description.clone(),
            tags: tags::merged(Tags::new(), input.tags.unwrap_or_default())?,
            created_ms: now_ms,
            modified_ms: now_ms,
            policy: None,
            policy_principals: PrincipalIds::default(),
            dead_letter_arn: input.dead_letter_config.clone().and_then(|config| config.arn),
            unknown: Unknown::new(),
            name: input.name,
        };
        let mut batch = Batch::new();
        batch.create(place.bus(&record.name), &record);
        self.database.commit(batch).await?;
        Ok(CreateEventBusResponse {
            event_bus_arn: Some(arn),
            description: input.description,
            dead_letter_config: input.dead_letter_config,
            ..Default::default()
        })
    }
}
