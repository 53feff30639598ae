//! `AssociateCrossAccountReplica`.

use haechi_core::{Batch, Cx, Handle, Unchecked};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::AssociateCrossAccountReplica;
use haechi_secretsmanager_model::shapes::{
    AssociateCrossAccountReplicaRequest, AssociateCrossAccountReplicaResponse, StatusType,
};

use crate::authz::{Facts, admit, admit_action};
use crate::store::Found;
use crate::{SecretsManager, words};

impl Handle<AssociateCrossAccountReplica> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: AssociateCrossAccountReplicaRequest,
    ) -> Result<AssociateCrossAccountReplicaResponse, Error> {
        if input.replication_role_arn.is_some() {
            return Err(cx.unsupported_parameter("ReplicationRoleARN").into());
        }
        let found = self.draft(cx, &input.secret_id).await?;
        let (draft, permit) = admit(cx, found, Facts::default())?;
        // What the replica gets, the caller could have read himself.
        let found = Unchecked::new(Found { secret: draft, given: input.secret_id });
        let action = "secretsmanager:GetSecretValue";
        let (mut draft, _) = admit_action(cx, action, found, Facts::default())?;
        draft.record().owns_values(cx)?;
        if draft.record().account != cx.account().as_str() {
            return Err(words::request(
                "Call this operation from the account that owns the primary secret.",
            ));
        }
        let (arn, mut batch) = (input.cross_account_replica_arn, Batch::new());
        let to = (arn.as_str(), input.replica_restriction);
        self.associate(cx, &mut draft, to, &mut batch).await?;
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(AssociateCrossAccountReplicaResponse {
            arn: Some(draft.record().arn.clone()),
            cross_account_replica_arn: Some(arn),
            replication_status: Some(StatusType::InSync),
        })
    }
}
