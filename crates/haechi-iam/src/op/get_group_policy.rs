//! Shows an inline policy of a group as it was written.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetGroupPolicy;
use haechi_iam_model::shapes::{GetGroupPolicyRequest, GetGroupPolicyResponse};

use crate::Iam;
use crate::store::GroupRecord;

impl Handle<GetGroupPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetGroupPolicyRequest,
    ) -> Result<GetGroupPolicyResponse, Error> {
        let shown = self.inline::<GroupRecord>(cx, &input.group_name, &input.policy_name).await?;
        Ok(GetGroupPolicyResponse {
            group_name: shown.entity,
            policy_name: input.policy_name,
            policy_document: shown.document,
        })
    }
}
