//! The secrets of connections, as Secrets Manager keeps them; the binary implements it.

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Region};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, GetSecretValueRequest,
    UpdateSecretRequest, UpdateSecretResponse,
};
use haechi_wire::{Fault, Problem, SecretString};

/// Where a connection lies.
pub type Whereabouts<'a> = (&'a AccountId, &'a Region);

/// Secrets Manager. What comes with a caller's context is done with that caller's permissions.
#[async_trait]
pub trait ConnectionSecrets: Send + Sync + 'static {
    /// `CreateSecret`.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers.
    async fn create(
        &self,
        cx: &Cx,
        input: CreateSecretRequest,
    ) -> Result<CreateSecretResponse, Problem>;

    /// `UpdateSecret`.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers.
    async fn update(
        &self,
        cx: &Cx,
        input: UpdateSecretRequest,
    ) -> Result<UpdateSecretResponse, Problem>;

    /// `GetSecretValue`; its text.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers.
    async fn get(&self, cx: &Cx, input: GetSecretValueRequest) -> Result<SecretString, Problem>;

    /// `DeleteSecret`.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers.
    async fn delete(&self, cx: &Cx, input: DeleteSecretRequest) -> Result<(), Problem>;

    /// `GetSecretValue` by the account's service-linked role, when nobody calls.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers; or if the call cannot be recorded.
    async fn get_as_service(
        &self,
        place: Whereabouts<'_>,
        input: GetSecretValueRequest,
    ) -> Result<SecretString, Problem>;

    /// `DeleteSecret` by the account's service-linked role, when nobody calls.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers; or if the call cannot be recorded.
    async fn delete_as_service(
        &self,
        place: Whereabouts<'_>,
        input: DeleteSecretRequest,
    ) -> Result<(), Problem>;
}

/// What a refusal of Secrets Manager's is to the caller of EventBridge.
pub(crate) fn fault(problem: Problem) -> Fault {
    match problem {
        Problem::Fault(fault) => fault,
        refused => Fault::Validation(refused.message()),
    }
}
