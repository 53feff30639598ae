//! `EnableRule`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::EnableRule;
use haechi_events_model::shapes::EnableRuleRequest;
use haechi_wire::shape::Unit;

use crate::{Events, schedule};

impl Handle<EnableRule> for Events {
    async fn handle(&self, cx: &Cx, input: EnableRuleRequest) -> Result<Unit, Error> {
        self.set_enabled(cx, input.event_bus_name.as_deref(), &input.name, true).await
    }
}

impl Events {
    /// Turns a rule on or off.
    pub(super) async fn set_enabled(
        &self,
        cx: &Cx,
        bus: Option<&str>,
        name: &str,
        is_enabled: bool,
    ) -> Result<Unit, Error> {
        let (_, found) = self.rule(cx, bus, name).await?;
        let mut rule = found.value.clone();
        rule.is_enabled = is_enabled;
        rule.wants_reading_calls = false;
        let before = rule.schedule.take();
        let expression = before.as_ref().map(|schedule| schedule.expression.clone());
        rule.schedule =
            schedule::planned(&cx.env, cx.now(), expression, is_enabled, before.as_ref())?;
        let mut batch = Batch::new();
        batch.replace(&found, &rule);
        rule.reschedule(Some(&found.value), (cx.account(), &cx.region), &mut batch)?;
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(Unit)
    }
}
