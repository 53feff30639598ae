//! `StopReplicationToReplica`: asked for in the replica's Region.

use haechi_core::{Batch, Cx, Handle, Unchecked};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::StopReplicationToReplica;
use haechi_secretsmanager_model::shapes::{
    StopReplicationToReplicaRequest, StopReplicationToReplicaResponse,
};
use haechi_wire::Fault;

use crate::authz::{Facts, admit, admit_action};
use crate::draft::Draft;
use crate::store::Found;
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
        if draft.record().cross_primary.is_some() {
            return self.stop_across_accounts(cx, draft).await;
        }
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
            draft.save(cx, &permit, &mut batch);
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
        primary.save(cx, &permit, &mut batch);
        replica::promote(draft.change(), cx.now());
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(StopReplicationToReplicaResponse { arn: Some(draft.record().arn.clone()) })
    }
}

impl SecretsManager {
    /// The replica of another account's secret becomes a secret of its own, and loses the policy
    /// that came with it.
    async fn stop_across_accounts(
        &self,
        cx: &Cx,
        draft: Draft,
    ) -> Result<StopReplicationToReplicaResponse, Error> {
        let arn = draft.record().arn.clone();
        let found = Unchecked::new(Found { secret: draft, given: arn.clone() });
        let action = "secretsmanager:DeleteResourcePolicy";
        let (mut draft, permit) = admit_action(cx, action, found, Facts::default())?;
        let mut batch = Batch::new();
        self.leave_primary(cx, &mut draft, &mut batch).await?;
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(StopReplicationToReplicaResponse { arn: Some(arn) })
    }
}
