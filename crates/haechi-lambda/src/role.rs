//! The execution role: who may pass it, and its credentials.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Ask, Cx, NoContext, Source};
use haechi_lambda_model::Error;
use haechi_policy::{Context, ResourceRule, Values};
use haechi_wire::{Fault, SecretString};

use crate::Lambda;
use crate::records::{EventQueue, QueueRefusal};
use crate::reference::Reference;
use crate::words::invalid;

/// Temporary credentials of a role.
#[derive(Clone)]
pub struct RoleCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token.
    pub session_token: SecretString,
}

/// What a function's failures, and what came of it, are told by.
pub struct Message {
    /// The queue's ARN.
    pub target_arn: String,
    /// What is sent.
    pub body: String,
    /// Message attributes: name, type, value.
    pub attributes: Vec<(&'static str, &'static str, String)>,
}

/// What Lambda does as a function's role: STS and SQS, wired by the binary.
#[async_trait]
pub trait ExecutionRoles: Send + Sync + 'static {
    /// Credentials of a role for a function, if the role trusts Lambda.
    ///
    /// # Errors
    /// If the store fails.
    async fn assume(
        &self,
        function: Source,
        region: &str,
        role_arn: &str,
        session: &str,
    ) -> Result<Option<RoleCredentials>, Fault>;

    /// Sends a message as the role.
    ///
    /// # Errors
    /// If the target refuses, in its words; or the store fails.
    async fn send(
        &self,
        function: Source,
        region: &str,
        role_arn: &str,
        message: Message,
    ) -> Result<(), String>;

    /// A queue, as the role reads it.
    ///
    /// # Errors
    /// If the role does not trust Lambda, or the store fails.
    async fn queue(
        &self,
        function: Source,
        region: &str,
        role_arn: &str,
        queue_arn: &str,
    ) -> Result<Arc<dyn EventQueue>, QueueRefusal>;
}

/// `iam:PassedToService`.
struct PassedTo;

impl Context for PassedTo {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "iam:passedtoservice" => Some(Values::one("lambda.amazonaws.com")),
            other => NoContext.values(other),
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["iam:passedtoservice".to_owned()]
    }
}

impl Lambda {
    /// Lets a role be a function's: the caller may pass it, and it trusts Lambda.
    pub(crate) async fn accept_role(
        &self,
        cx: &Cx,
        reference: &Reference,
        role_arn: &str,
    ) -> Result<(), Error> {
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        if account != reference.account {
            return Err(invalid("Cross-account pass role is not allowed."));
        }
        cx.authorize(&Ask {
            action: "iam:PassRole",
            resource: role_arn,
            resource_account: account,
            policy: None,
            rule: ResourceRule::Union,
            context: &PassedTo,
        })?;
        match self.credentials(reference, role_arn).await? {
            Some(_) => Ok(()),
            None => Err(invalid("The role defined for the function cannot be assumed by Lambda.")),
        }
    }

    /// Credentials of a function's role; none if it does not trust Lambda.
    pub(crate) async fn credentials(
        &self,
        reference: &Reference,
        role_arn: &str,
    ) -> Result<Option<RoleCredentials>, Fault> {
        let function = reference.source()?;
        self.roles.assume(function, &reference.region, role_arn, &reference.name).await
    }
}

impl Reference {
    /// The function, as that on whose behalf Lambda acts.
    pub(crate) fn source(&self) -> Result<Source, Fault> {
        let account = haechi_core::AccountId::parse(&self.account)
            .ok_or_else(|| Fault::internal("a function of no account"))?;
        Ok(Source { arn: self.function_arn(), account })
    }
}
