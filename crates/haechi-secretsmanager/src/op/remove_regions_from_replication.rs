//! `RemoveRegionsFromReplication`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::RemoveRegionsFromReplication;
use haechi_secretsmanager_model::shapes::{
    RemoveRegionsFromReplicationRequest, RemoveRegionsFromReplicationResponse,
};

use crate::SecretsManager;
use crate::authz::{Facts, admit};

impl Handle<RemoveRegionsFromReplication> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveRegionsFromReplicationRequest,
    ) -> Result<RemoveRegionsFromReplicationResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().writable_by(cx)?;
        let mut batch = Batch::new();
        // A Region that it is not replicated to is as good as removed.
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
