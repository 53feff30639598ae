//! `ValidateResourcePolicy`.

use std::sync::Arc;

use haechi_core::{Ask, Cx, Handle, NoContext, PrincipalIds, Unchecked};
use haechi_policy::ResourceRule;
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ValidateResourcePolicy;
use haechi_secretsmanager_model::shapes::{
    ValidateResourcePolicyRequest, ValidateResourcePolicyResponse, ValidationErrorsEntry,
};
use haechi_wire::Fault;

use crate::authz::{Facts, admit, admit_action};
use crate::store::{Found, Secret};
use crate::{SecretsManager, name, policy};

/// Whoever asks whether a policy will do must be allowed to put it.
const PUT: &str = "secretsmanager:PutResourcePolicy";

impl Handle<ValidateResourcePolicy> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ValidateResourcePolicyRequest,
    ) -> Result<ValidateResourcePolicyResponse, Error> {
        let secret = self.may_put(cx, input.secret_id.as_deref()).await?;
        let text = input.resource_policy;
        let (document, principals) = policy::accept(&self.env, &text).await?;
        let arn = match &secret {
            Some(secret) => secret.record.arn.clone(),
            None => name::arn(&cx.region, cx.account().as_str(), "any", "secret"),
        };
        let mut errors = Vec::new();
        if policy::is_public(&document, &arn)? {
            let told = "This resource policy grants broad access to the secret.";
            errors.push(failed("BLOCK_PUBLIC_POLICY", told));
        }
        if locks_out(cx, secret.as_deref(), arn, (text, principals))? {
            let told = "This resource policy would keep you from changing it again.";
            errors.push(failed("BLOCK_LOCKOUT_POLICY", told));
        }
        Ok(ValidateResourcePolicyResponse {
            policy_validation_passed: Some(errors.is_empty()),
            validation_errors: Some(errors),
        })
    }
}

fn failed(check: &str, told: &str) -> ValidationErrorsEntry {
    ValidationErrorsEntry {
        check_name: Some(check.to_owned()),
        error_message: Some(told.to_owned()),
    }
}

/// Whether the caller could not put another policy any more, once this one is there.
fn locks_out(
    cx: &Cx,
    secret: Option<&Secret>,
    arn: String,
    (text, principals): (String, PrincipalIds),
) -> Result<bool, Fault> {
    if let Some(secret) = secret {
        let mut record = secret.record.clone();
        (record.policy, record.policy_principals) = (Some(text), principals);
        let found = Found { secret: Secret::build(record)?, given: arn };
        return Ok(admit_action(cx, PUT, Unchecked::new(found), Facts::default()).is_err());
    }
    let policy = principals.compile(&text)?;
    let decided = cx.decide(&Ask {
        action: PUT,
        resource: &arn,
        resource_account: cx.account().as_str(),
        policy: Some(&policy),
        rule: ResourceRule::Union,
        context: &NoContext,
    });
    Ok(decided.is_err())
}

impl SecretsManager {
    /// The secret that the policy is for, if the request names one.
    async fn may_put(&self, cx: &Cx, given: Option<&str>) -> Result<Option<Arc<Secret>>, Error> {
        let Some(given) = given else {
            cx.authorize_any()?;
            cx.authorize_also(PUT, "*", &NoContext)?;
            return Ok(None);
        };
        let found = self.secret(cx, given).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        let found = Unchecked::new(Found { secret, given: given.to_owned() });
        Ok(Some(admit_action(cx, PUT, found, Facts::default())?.0))
    }
}
