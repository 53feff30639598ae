//! `RemoveRegionsFromReplication`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::RemoveRegionsFromReplication;
use haechi_secretsmanager_model::shapes::{
    RemoveRegionsFromReplicationRequest, RemoveRegionsFromReplicationResponse,
};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, words};

impl Handle<RemoveRegionsFromReplication> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveRegionsFromReplicationRequest,
    ) -> Result<RemoveRegionsFromReplicationResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().writable()?;
        for region in &input.remove_replica_regions {
            if !draft.record().replicas.contains_key(region) {
                let message = format!("The secret is not replicated to Region {region}.");
                return Err(words::parameter(message));
            }
        }
        let mut batch = Batch::new();
        for region in &input.remove_replica_regions {
            draft.remove_replica(region, &mut batch);
        }
        if draft.record().replicas.is_empty() {
            draft.change().primary_region = None;
        }
        draft.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        let record = draft.record();
        Ok(RemoveRegionsFromReplicationResponse {
            arn: Some(record.arn.clone()),
            replication_status: Some(record.replication_status().unwrap_or_default()),
        })
    }
}
