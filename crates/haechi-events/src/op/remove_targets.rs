//! `RemoveTargets`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::RemoveTargets;
use haechi_events_model::shapes::{
    RemoveTargetsRequest, RemoveTargetsResponse, RemoveTargetsResultEntry,
};

use crate::Events;

impl Handle<RemoveTargets> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveTargetsRequest,
    ) -> Result<RemoveTargetsResponse, Error> {
        let (_, found) = self.rule(cx, input.event_bus_name.as_deref(), &input.rule).await?;
        let mut rule = found.value.clone();
        let missing = |id: &&String| !found.value.targets.iter().any(|target| target.id == **id);
        let failed: Vec<RemoveTargetsResultEntry> = input
            .ids
            .iter()
            .filter(missing)
            .map(|id| RemoveTargetsResultEntry {
                target_id: Some(id.clone()),
                error_code: Some("ResourceNotFoundException".to_owned()),
                error_message: Some(format!(
                    "Rule {} does not have a target with the Id {id}.",
                    rule.name
                )),
            })
            .collect();
        rule.targets.retain(|target| !input.ids.contains(&target.id));
        let mut batch = Batch::new();
        batch.replace(&found, &rule);
        self.database.commit(batch).await?;
        let failed_entry_count = Some(i32::try_from(failed.len()).unwrap_or(i32::MAX));
        Ok(RemoveTargetsResponse { failed_entry_count, failed_entries: Some(failed) })
    }
}
