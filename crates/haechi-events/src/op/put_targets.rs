//! `PutTargets`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::PutTargets;
use haechi_events_model::shapes::{PutTargetsRequest, PutTargetsResponse};

use crate::target::TARGETS_MAX;
use crate::{Events, rule, target};

impl Handle<PutTargets> for Events {
    async fn handle(&self, cx: &Cx, input: PutTargetsRequest) -> Result<PutTargetsResponse, Error> {
        let (bus, mut found) = (input.event_bus_name.as_deref(), None);
        // Each target is decided on by itself, so that a policy sees one ARN at a time.
        for target in &input.targets {
            let facts = Facts::default().with("events:targetarn", [target.arn.clone()]);
            found = Some(self.rule_knowing(cx, bus, &input.rule, facts).await?.1);
        }
        let found = match found {
            Some(found) => found,
            None => self.rule(cx, bus, &input.rule).await?.1,
        };
        let mut rule = found.value.clone();
        let arn = rule::arn(cx, &rule.bus, &rule.name);
        for given in input.targets {
            let mut accepted = target::accept(cx, &*self.around.targets, given)?;
            self.check_role(cx, &arn, accepted.role_arn.as_deref()).await?;
            match rule.targets.iter_mut().find(|target| target.id == accepted.id) {
                Some(existing) => {
                    if existing.arn == accepted.arn && target::is_bus_of_another(cx, existing) {
                        // Such a target's role stays until another one is given.
                        accepted.role_arn = accepted.role_arn.or(existing.role_arn.take());
                    }
                    *existing = accepted;
                }
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
