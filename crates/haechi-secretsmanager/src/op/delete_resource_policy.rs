//! `DeleteResourcePolicy`.

use haechi_core::{Batch, Cx, Handle, PrincipalIds};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::DeleteResourcePolicy;
use haechi_secretsmanager_model::shapes::{
    DeleteResourcePolicyRequest, DeleteResourcePolicyResponse,
};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, policy};

impl Handle<DeleteResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteResourcePolicyRequest,
    ) -> Result<DeleteResourcePolicyResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().writable_by(cx)?;
        policy::check_name(input.policy_name.as_deref())?;
        draft.change().policy = None;
        draft.change().policy_principals = PrincipalIds::default();
        let mut batch = Batch::new();
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        let record = draft.record();
        Ok(DeleteResourcePolicyResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            policy_name: input.policy_name,
        })
    }
}
