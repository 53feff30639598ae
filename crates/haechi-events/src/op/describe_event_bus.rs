//! `DescribeEventBus`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DescribeEventBus;
use haechi_events_model::shapes::{
    DeadLetterConfig, DescribeEventBusRequest, DescribeEventBusResponse,
};
use haechi_wire::Timestamp;

use crate::{Events, bus};

impl Handle<DescribeEventBus> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeEventBusRequest,
    ) -> Result<DescribeEventBusResponse, Error> {
        let name = bus::name(cx, input.name.as_deref())?;
        let arn = bus::arn(cx, name);
        self.allow_bus(cx, name).await?;
        let found = self.bus(&bus::place(cx), name).await?.map(|found| found.value);
        if found.is_none() && name != bus::DEFAULT {
            return Err(bus::missing(name));
        }
        let time = |ms: i64| Timestamp::from_millis(ms);
        Ok(DescribeEventBusResponse {
            name: Some(name.to_owned()),
            arn: Some(arn),
            creation_time: found.as_ref().map(|bus| time(bus.created_ms)),
            last_modified_time: found.as_ref().map(|bus| time(bus.modified_ms)),
            policy: found.as_ref().and_then(|bus| bus.policy.clone()),
            dead_letter_config: found
                .as_ref()
                .and_then(|bus| bus.dead_letter_arn.clone())
                .map(|arn| DeadLetterConfig { arn: Some(arn) }),
            description: found.and_then(|bus| bus.description),
            ..Default::default()
        })
    }
}
