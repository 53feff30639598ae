//! Shows an inline policy as it was written.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetUserPolicy;
use haechi_iam_model::shapes::{GetUserPolicyRequest, GetUserPolicyResponse};

use crate::{Iam, policy};

impl Handle<GetUserPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetUserPolicyRequest,
    ) -> Result<GetUserPolicyResponse, Error> {
        let user = self.user(cx, &input.user_name).await?.value;
        let document = user.policies.get(&input.policy_name);
        let document = document.ok_or_else(|| policy::not_found(&input.policy_name))?;
        Ok(GetUserPolicyResponse {
            policy_document: policy::encoded(document),
            user_name: user.name,
            policy_name: input.policy_name,
        })
    }
}
