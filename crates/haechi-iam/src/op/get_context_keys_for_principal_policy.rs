//! Tells which condition keys the policies of a user, group or role ask for, with others that the
//! request brings.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetContextKeysForPrincipalPolicy;
use haechi_iam_model::shapes::{
    GetContextKeysForPolicyResponse, GetContextKeysForPrincipalPolicyRequest,
};

use crate::authz::{Conditions, authorize};
use crate::{Iam, context_keys};

impl Handle<GetContextKeysForPrincipalPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetContextKeysForPrincipalPolicyRequest,
    ) -> Result<GetContextKeysForPolicyResponse, Error> {
        authorize(cx, &input.policy_source_arn, &Conditions::default())?;
        let mut policies = self.policies_of(cx.account(), &input.policy_source_arn).await?;
        policies.extend(input.policy_input_list.unwrap_or_default());
        let context_key_names = Some(context_keys::of(&policies)?);
        Ok(GetContextKeysForPolicyResponse { context_key_names })
    }
}
