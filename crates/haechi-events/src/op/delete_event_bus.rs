//! `DeleteEventBus`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DeleteEventBus;
use haechi_events_model::shapes::DeleteEventBusRequest;
use haechi_wire::shape::Unit;

use crate::store::RuleRecord;
use crate::{Events, bus};

/// Rules that go with their bus in one transaction.
const RULES_MAX: u32 = 90;

impl Handle<DeleteEventBus> for Events {
    async fn handle(&self, cx: &Cx, input: DeleteEventBusRequest) -> Result<Unit, Error> {
        self.allow_bus(cx, &input.name).await?;
        if input.name == bus::DEFAULT {
            return Err(bus::invalid("Cannot delete event bus default."));
        }
        let place = bus::place(cx);
        let found = self.bus(&place, &input.name).await?;
        let found = found.ok_or_else(|| bus::missing(&input.name))?;
        loop {
            let rules = place.rules(&input.name);
            let page = self.database.list::<RuleRecord>(&rules, None, RULES_MAX).await?;
            let mut batch = Batch::new();
            page.items.iter().for_each(|rule| batch.remove(rule));
            let is_last = page.next.is_none();
            if is_last {
                batch.remove(&found);
            }
            self.database.commit(batch).await?;
            if is_last {
                return Ok(Unit);
            }
        }
    }
}
