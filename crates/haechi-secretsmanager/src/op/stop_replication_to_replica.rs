//! `StopReplicationToReplica`: asked for in the replica's Region.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::StopReplicationToReplica;
use haechi_secretsmanager_model::shapes::{
    StopReplicationToReplicaRequest, StopReplicationToReplicaResponse,
};
use haechi_wire::Fault;

use crate::authz::{Facts, admit};
use crate::{SecretsManager, replica, words};

impl Handle<StopReplicationToReplica> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: StopReplicationToReplicaRequest,
    ) -> Result<StopReplicationToReplicaResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().alive()?;
        let primary_region = draft.record().primary_region.clone();
        let Some(primary_region) = primary_region.filter(|_| draft.record().is_replica()) else {
            return Err(words::request(
                "Operation not permitted on a primary secret. Call must be made in a replica \
                 secret's region.",
            ));
        };
        let (account, key) = (draft.record().account.clone(), draft.record().key.clone());
        let mut batch = Batch::new();
        // Also when its primary's deployment does not answer, or is no more.
        if draft.record().followed.is_some() {
            draft.change().leave(&primary_region, &mut batch);
            replica::promote(draft.change(), cx.now());
            draft.save(&permit, &mut batch);
            self.database.commit(batch).await?;
            return Ok(StopReplicationToReplicaResponse { arn: Some(draft.record().arn.clone()) });
        }
        let primary = self.draft_at(&account, &primary_region, &key).await?;
        let mut primary = primary.ok_or_else(|| Fault::internal("a replica without a primary"))?;
        let region = draft.record().region.clone();
        primary.leave_replica(&region);
        primary.change().replicas.remove(&region);
        if primary.record().replicas.is_empty() {
            primary.change().primary_region = None;
        }
        primary.save(&permit, &mut batch);
        replica::promote(draft.change(), cx.now());
        draft.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(StopReplicationToReplicaResponse { arn: Some(draft.record().arn.clone()) })
    }
}
