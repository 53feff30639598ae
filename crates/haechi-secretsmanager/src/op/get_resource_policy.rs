//! `GetResourcePolicy`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::GetResourcePolicy;
use haechi_secretsmanager_model::shapes::{GetResourcePolicyRequest, GetResourcePolicyResponse};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, policy};

impl Handle<GetResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetResourcePolicyRequest,
    ) -> Result<GetResourcePolicyResponse, Error> {
        let found = self.secret(cx, &input.secret_id).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        policy::check_name(input.policy_name.as_deref())?;
        let record = &secret.record;
        Ok(GetResourcePolicyResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            resource_policy: record.policy.clone(),
            policy_name: input.policy_name,
        })
    }
}
