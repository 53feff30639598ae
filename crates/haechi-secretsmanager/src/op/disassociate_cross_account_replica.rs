//! `DisassociateCrossAccountReplica`: from the primary's side.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::DisassociateCrossAccountReplica;
use haechi_secretsmanager_model::shapes::{
    DisassociateCrossAccountReplicaRequest, DisassociateCrossAccountReplicaResponse,
};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, words};

impl Handle<DisassociateCrossAccountReplica> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: DisassociateCrossAccountReplicaRequest,
    ) -> Result<DisassociateCrossAccountReplicaResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        let arn = input.cross_account_replica_arn;
        if draft.change().cross_replicas.remove(&arn).is_none() {
            return Err(words::not_found());
        }
        // The replica is told in the same transaction: what its primary does not list is detached.
        let mut batch = Batch::new();
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(DisassociateCrossAccountReplicaResponse {
            arn: Some(draft.record().arn.clone()),
            cross_account_replica_arn: Some(arn),
        })
    }
}
