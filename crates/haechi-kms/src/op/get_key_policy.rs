//! `GetKeyPolicy`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GetKeyPolicy;
use haechi_kms_model::shapes::{GetKeyPolicyRequest, GetKeyPolicyResponse};

use crate::authz::{Facts, admit};
use crate::{Kms, policy};

impl Handle<GetKeyPolicy> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetKeyPolicyRequest,
    ) -> Result<GetKeyPolicyResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        policy::check_name(input.policy_name.as_deref())?;
        Ok(GetKeyPolicyResponse {
            policy: Some(key.record.policy.clone()),
            policy_name: Some(policy::NAME.to_owned()),
        })
    }
}
