//! `DeleteRule`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DeleteRule;
use haechi_events_model::shapes::DeleteRuleRequest;
use haechi_wire::shape::Unit;

use crate::{Events, bus};

impl Handle<DeleteRule> for Events {
    async fn handle(&self, cx: &Cx, input: DeleteRuleRequest) -> Result<Unit, Error> {
        let (_, found) = match self.rule(cx, input.event_bus_name.as_deref(), &input.name).await {
            Ok(found) => found,
            // That there is none is no failure.
            Err(Error::ResourceNotFoundException(told)) if told.starts_with("Rule ") => {
                return Ok(Unit);
            }
            Err(error) => return Err(error),
        };
        if !found.value.targets.is_empty() {
            return Err(bus::invalid("Rule can't be deleted since it has targets."));
        }
        let mut batch = Batch::new();
        batch.remove(&found);
        let job = found.value.job((cx.account(), &cx.region))?;
        job.iter().for_each(|job| batch.cancel(job));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
