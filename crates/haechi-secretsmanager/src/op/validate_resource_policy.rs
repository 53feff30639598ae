//! `ValidateResourcePolicy`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ValidateResourcePolicy;
use haechi_secretsmanager_model::shapes::{
    ValidateResourcePolicyRequest, ValidateResourcePolicyResponse, ValidationErrorsEntry,
};

use crate::authz::{Facts, admit};
use crate::{SecretsManager, name, policy};

impl Handle<ValidateResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ValidateResourcePolicyRequest,
    ) -> Result<ValidateResourcePolicyResponse, Error> {
        let arn = match &input.secret_id {
            Some(given) => {
                let found = self.secret(cx, given).await?;
                admit(cx, found, Facts::default())?.0.record.arn.clone()
            }
            None => {
                cx.authorize_any()?;
                name::arn(&cx.region, cx.account().as_str(), "any", "secret")
            }
        };
        let (document, _) = policy::accept(&self.env, &input.resource_policy).await?;
        let mut errors = Vec::new();
        if policy::is_public(&document, &arn)? {
            errors.push(ValidationErrorsEntry {
                check_name: Some("BLOCK_PUBLIC_POLICY".to_owned()),
                error_message: Some(
                    "This resource policy grants broad access to the secret.".to_owned(),
                ),
            });
        }
        Ok(ValidateResourcePolicyResponse {
            policy_validation_passed: Some(errors.is_empty()),
            validation_errors: Some(errors),
        })
    }
}
