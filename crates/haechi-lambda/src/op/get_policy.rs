//! `GetPolicy`.

use crate::function::Named;
use crate::words::no_policy;
use crate::{Lambda, policy};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetPolicy;
use haechi_lambda_model::shapes::{GetPolicyRequest, GetPolicyResponse};

impl Handle<GetPolicy> for Lambda {
    async fn handle(&self, cx: &Cx, input: GetPolicyRequest) -> Result<GetPolicyResponse, Error> {
        let named = Named::Qualified(&input.function_name, input.qualifier.as_deref());
        let found = self.function(cx, named).await;
        let function = match found {
            Ok(function) => function,
            Err(Error::ResourceNotFoundException(..)) => return Err(no_policy()),
            Err(error) => return Err(error),
        };
        let key = policy::key(function.reference.qualifier.as_deref());
        let policy = function.record.policies.get(key).ok_or_else(no_policy)?;
        Ok(GetPolicyResponse {
            policy: Some(policy::document(&policy.statements)),
            revision_id: Some(policy.revision.clone()),
        })
    }
}
