//! `PutTargets`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::PutTargets;
use haechi_events_model::shapes::{PutTargetsRequest, PutTargetsResponse};

use crate::target::TARGETS_MAX;
use crate::{Events, target};

impl Handle<PutTargets> for Events {
    async fn handle(&self, cx: &Cx, input: PutTargetsRequest) -> Result<PutTargetsResponse, Error> {
        let (_, found) = self.rule(cx, input.event_bus_name.as_deref(), &input.rule).await?;
        let mut rule = found.value.clone();
        for given in input.targets {
            let accepted = target::accept(cx, &*self.around.targets, given)?;
            match rule.targets.iter_mut().find(|target| target.id == accepted.id) {
                Some(existing) => *existing = accepted,
                None => rule.targets.push(accepted),
            }
        }
        if rule.targets.len() > TARGETS_MAX {
            let told = "The requested resource exceeds the maximum number allowed.";
            return Err(Error::LimitExceededException(told.to_owned()));
        }
        let mut batch = Batch::new();
        batch.replace(&found, &rule);
        self.database.commit(batch).await?;
        Ok(PutTargetsResponse { failed_entry_count: Some(0), failed_entries: Some(Vec::new()) })
    }
}
