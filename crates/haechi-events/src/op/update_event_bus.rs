//! `UpdateEventBus`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::UpdateEventBus;
use haechi_events_model::shapes::{
    DeadLetterConfig, UpdateEventBusRequest, UpdateEventBusResponse,
};

use crate::{Events, bus};

impl Handle<UpdateEventBus> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateEventBusRequest,
    ) -> Result<UpdateEventBusResponse, Error> {
        let name = bus::name(cx, input.name.as_deref())?;
        let arn = bus::arn(cx, name);
        self.allow_bus(cx, name).await?;
        cx.refuse_parameters(&[
            ("KmsKeyIdentifier", input.kms_key_identifier.is_some()),
            ("LogConfig", input.log_config.is_some()),
        ])?;
        let change = |record: &mut crate::store::BusRecord| {
            if input.description.is_some() {
                record.description = input.description.filter(|text| !text.is_empty());
            }
            if let Some(config) = input.dead_letter_config {
                record.dead_letter_arn = config.arn;
            }
            Ok(())
        };
        let record = self.change_bus(cx, name, change).await?;
        Ok(UpdateEventBusResponse {
            arn: Some(arn),
            name: Some(record.name),
            description: record.description,
            dead_letter_config: record
                .dead_letter_arn
                .map(|arn| DeadLetterConfig { arn: Some(arn) }),
            ..Default::default()
        })
    }
}
