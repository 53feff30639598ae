//! `DisableRule`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DisableRule;
use haechi_events_model::shapes::DisableRuleRequest;
use haechi_wire::shape::Unit;

use crate::Events;

impl Handle<DisableRule> for Events {
    async fn handle(&self, cx: &Cx, input: DisableRuleRequest) -> Result<Unit, Error> {
        self.set_enabled(cx, input.event_bus_name.as_deref(), &input.name, false).await
    }
}
