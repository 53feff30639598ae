//! `TestEventPattern`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::TestEventPattern;
use haechi_events_model::shapes::{TestEventPatternRequest, TestEventPatternResponse};
use serde_json::Value;

use crate::{Events, bus, rule};

/// Fields that an event must have.
const FIELDS: [&str; 6] = ["id", "account", "source", "time", "region", "detail-type"];

impl Handle<TestEventPattern> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: TestEventPatternRequest,
    ) -> Result<TestEventPatternResponse, Error> {
        cx.authorize_any()?;
        let pattern = rule::pattern(&input.event_pattern)?;
        let event: Option<Value> = serde_json::from_str(&input.event).ok();
        let is_event = |event: &Value| FIELDS.iter().all(|field| event.get(field).is_some());
        let event = event.filter(is_event);
        let event = event.ok_or_else(|| bus::invalid("Parameter Event is not valid."))?;
        Ok(TestEventPatternResponse { result: Some(pattern.matches(&event)) })
    }
}
