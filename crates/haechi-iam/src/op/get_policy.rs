//! Shows a managed policy, without its document.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetPolicy;
use haechi_iam_model::shapes::{GetPolicyRequest, GetPolicyResponse};

use crate::Iam;

impl Handle<GetPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: GetPolicyRequest) -> Result<GetPolicyResponse, Error> {
        let arn = input.policy_arn;
        let policy = self.managed(cx, &arn).await?;
        let uses = self.uses(cx, &arn).await?;
        Ok(GetPolicyResponse { policy: Some(policy.shown(arn, &uses)) })
    }
}
