//! Shows a version of a managed policy with its document.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetPolicyVersion;
use haechi_iam_model::shapes::{GetPolicyVersionRequest, GetPolicyVersionResponse};

use crate::Iam;
use crate::managed::version_not_found;

impl Handle<GetPolicyVersion> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetPolicyVersionRequest,
    ) -> Result<GetPolicyVersionResponse, Error> {
        let (arn, id) = (input.policy_arn, input.version_id);
        let version = self.versioned(cx, &arn, &id).await?.version(&id);
        let version = version.ok_or_else(|| version_not_found(&arn, &id))?;
        Ok(GetPolicyVersionResponse { policy_version: Some(version) })
    }
}
