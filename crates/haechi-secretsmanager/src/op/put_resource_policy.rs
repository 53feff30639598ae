//! `PutResourcePolicy`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::PutResourcePolicy;
use haechi_secretsmanager_model::shapes::{PutResourcePolicyRequest, PutResourcePolicyResponse};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, policy};

impl Handle<PutResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutResourcePolicyRequest,
    ) -> Result<PutResourcePolicyResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = Facts::default().with("blockpublicpolicy", input.block_public_policy);
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().writable_by(cx)?;
        policy::check_name(input.policy_name.as_deref())?;
        let (document, principals) = policy::accept(&self.env, &input.resource_policy).await?;
        if input.block_public_policy == Some(true)
            && policy::is_public(&document, &draft.record().arn)?
        {
            return Err(Error::PublicPolicyException(
                "You can't attach a resource-based policy that allows broad access to the secret."
                    .to_owned(),
            ));
        }
        draft.change().policy = Some(input.resource_policy);
        draft.change().policy_principals = principals;
        let mut batch = Batch::new();
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        let record = draft.record();
        Ok(PutResourcePolicyResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            policy_name: input.policy_name,
        })
    }
}
