//! Tells which condition keys policies in the request ask for.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetContextKeysForCustomPolicy;
use haechi_iam_model::shapes::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
};

use crate::{Iam, context_keys};

impl Handle<GetContextKeysForCustomPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetContextKeysForCustomPolicyRequest,
    ) -> Result<GetContextKeysForPolicyResponse, Error> {
        cx.authorize_any()?;
        let context_key_names = Some(context_keys::of(&input.policy_input_list)?);
        Ok(GetContextKeysForPolicyResponse { context_key_names })
    }
}
