//! `DeleteResourcePolicy`.

use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::DeleteResourcePolicy;
use haechi_ssm_model::shapes::{DeleteResourcePolicyRequest, DeleteResourcePolicyResponse};

use super::put_resource_policy::no_such_policy;
use crate::Ssm;

impl Handle<DeleteResourcePolicy> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteResourcePolicyRequest,
    ) -> Result<DeleteResourcePolicyResponse, Error> {
        let loaded = self.shareable(cx, &input.resource_arn).await?;
        let policy = loaded.value.resource_policy.as_ref().ok_or_else(no_such_policy)?;
        policy.checked(&input.policy_id, Some(&input.policy_hash))?;
        let mut parameter = loaded.value.clone();
        parameter.resource_policy = None;
        let mut batch = Batch::new();
        batch.replace(&loaded, &parameter);
        self.database.commit(batch).await?;
        Ok(DeleteResourcePolicyResponse {})
    }
}
