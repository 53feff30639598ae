//! `GetResourcePolicy`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::GetResourcePolicy;
use haechi_secretsmanager_model::shapes::{GetResourcePolicyRequest, GetResourcePolicyResponse};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, cross_account, policy};

impl Handle<GetResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetResourcePolicyRequest,
    ) -> Result<GetResourcePolicyResponse, Error> {
        let found = self.secret(cx, &input.secret_id).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        let record = &secret.record;
        record.alive()?;
        let managed = record.replication_policy();
        let resource_policy = match (input.policy_name.as_deref(), managed) {
            (Some(cross_account::POLICY), Some(managed)) => Some(managed),
            (name, _) => {
                policy::check_name(name)?;
                record.policy.clone()
            }
        };
        Ok(GetResourcePolicyResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            resource_policy,
            policy_name: input.policy_name,
        })
    }
}
