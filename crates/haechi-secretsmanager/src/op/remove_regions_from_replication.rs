//! `RemoveRegionsFromReplication`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::RemoveRegionsFromReplication;
use haechi_secretsmanager_model::shapes::{
    RemoveRegionsFromReplicationRequest, RemoveRegionsFromReplicationResponse,
};

use crate::SecretsManager;
use crate::authz::{Facts, admit};
use crate::replica::REGIONS_AT_ONCE;

impl Handle<RemoveRegionsFromReplication> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveRegionsFromReplicationRequest,
    ) -> Result<RemoveRegionsFromReplicationResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().writable_by(cx)?;
        // A Region that it is not replicated to is as good as removed. A few at a time: what one
        // transaction can do is bounded.
        let mut asked = input.remove_replica_regions.chunks(REGIONS_AT_ONCE).peekable();
        while let Some(regions) = asked.next() {
            let mut batch = Batch::new();
            for region in regions {
                draft.remove_replica(region, &mut batch)?;
            }
            if draft.record().replicas.is_empty() {
                draft.change().primary_region = None;
            }
            draft.save(cx, &permit, &mut batch);
            self.database.commit(batch).await?;
            if asked.peek().is_some() {
                let (account, region) = (&draft.record().account, &draft.record().region);
                let there = self.draft_at(account, region, &draft.record().key).await?;
                let Some(there) = there else { break };
                draft = there;
            }
        }
        let record = draft.record();
        Ok(RemoveRegionsFromReplicationResponse {
            arn: Some(record.arn.clone()),
            replication_status: Some(self.replication_status(record).await?.unwrap_or_default()),
        })
    }
}
