//! Shows an inline policy of a user as it was written.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetUserPolicy;
use haechi_iam_model::shapes::{GetUserPolicyRequest, GetUserPolicyResponse};

use crate::Iam;
use crate::store::UserRecord;

impl Handle<GetUserPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetUserPolicyRequest,
    ) -> Result<GetUserPolicyResponse, Error> {
        let shown = self.inline::<UserRecord>(cx, &input.user_name, &input.policy_name).await?;
        Ok(GetUserPolicyResponse {
            user_name: shown.entity,
            policy_name: input.policy_name,
            policy_document: shown.document,
        })
    }
}
