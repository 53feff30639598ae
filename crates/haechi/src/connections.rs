//! The secrets of EventBridge's connections: Secrets Manager, in the name of whoever changes a
//! connection; or, when an event is on its way, of the account's service-linked role.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Cx, Env, Handle, Operation, ServiceLinkedRole};
use haechi_events::{ConnectionSecrets, Whereabouts};
use haechi_secretsmanager::SecretsManager;
use haechi_secretsmanager_model::ops::{CreateSecret, DeleteSecret, GetSecretValue, UpdateSecret};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, GetSecretValueRequest,
    UpdateSecretRequest, UpdateSecretResponse,
};
use haechi_wire::audit::AuditWriter;
use haechi_wire::{Problem, Schema, SecretString, Shape};

use crate::recorder::{self, Recorder, Told};

/// The service, as in service principals.
const SERVICE: &str = "events";

/// Its role. It may read and delete the secrets of connections, and no others.
const ROLE: ServiceLinkedRole = ServiceLinkedRole {
    service: SERVICE,
    linked_to: "apidestinations.events",
    name: "AWSServiceRoleForAmazonEventBridgeApiDestinations",
    session: "haechi-connections",
    policy: r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DeleteSecret"],
         "Resource":"arn:*:secretsmanager:*:*:secret:events!connection/*"},
        {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}"#,
};

/// Secrets Manager, for connections.
pub struct SecretsOfConnections {
    /// Time and randomness.
    pub env: Env,
    /// Where they lie.
    pub secrets: Arc<SecretsManager>,
    /// Where calls are recorded that no request is behind.
    pub recorder: Arc<Recorder>,
}

fn redacted(shape: &impl Shape, schema: &'static Schema) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    shape.write(&mut writer, schema);
    writer.finish()
}

impl SecretsOfConnections {
    /// A call on behalf of the caller of EventBridge.
    async fn forward<Op: Operation>(&self, cx: &Cx, input: Op::Input) -> Result<Op::Output, Problem>
    where
        SecretsManager: Handle<Op>,
    {
        cx.forward(Op::SCHEMA, SERVICE).perform::<Op, _>(&*self.secrets, input).await
    }

    /// A call of the role's.
    async fn as_role<Op: Operation>(
        &self,
        (account, region): Whereabouts<'_>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        SecretsManager: Handle<Op>,
    {
        let place = (account, region);
        let cx = Cx::by_service_linked_role(&self.env, &ROLE, place, Op::SCHEMA).await?;
        let cx = cx.forward(Op::SCHEMA, SERVICE);
        self.recorder.check()?;
        let parameters = redacted(&input, Op::SCHEMA.input);
        let done: Result<Op::Output, Problem> =
            self.secrets.handle(&cx, input).await.map_err(Into::into);
        let elements = match &done {
            Ok(output) if !Op::SCHEMA.read_only => redacted(output, Op::SCHEMA.output),
            _ => Vec::new(),
        };
        let problem = done.as_ref().err().map(recorder::told);
        self.recorder.record(&cx, Told { service: SERVICE, parameters, elements, problem }).await?;
        done
    }
}

#[async_trait]
impl ConnectionSecrets for SecretsOfConnections {
    async fn create(
        &self,
        cx: &Cx,
        input: CreateSecretRequest,
    ) -> Result<CreateSecretResponse, Problem> {
        self.forward::<CreateSecret>(cx, input).await
    }

    async fn update(
        &self,
        cx: &Cx,
        input: UpdateSecretRequest,
    ) -> Result<UpdateSecretResponse, Problem> {
        self.forward::<UpdateSecret>(cx, input).await
    }

    async fn get(&self, cx: &Cx, input: GetSecretValueRequest) -> Result<SecretString, Problem> {
        let found = self.forward::<GetSecretValue>(cx, input).await?;
        Ok(found.secret_string.unwrap_or_default())
    }

    async fn delete(&self, cx: &Cx, input: DeleteSecretRequest) -> Result<(), Problem> {
        self.forward::<DeleteSecret>(cx, input).await.map(drop)
    }

    async fn get_as_service(
        &self,
        place: Whereabouts<'_>,
        input: GetSecretValueRequest,
    ) -> Result<SecretString, Problem> {
        let found = self.as_role::<GetSecretValue>(place, input).await?;
        Ok(found.secret_string.unwrap_or_default())
    }

    async fn delete_as_service(
        &self,
        place: Whereabouts<'_>,
        input: DeleteSecretRequest,
    ) -> Result<(), Problem> {
        self.as_role::<DeleteSecret>(place, input).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use haechi_policy::{Document, Kind};

    use super::*;

    #[test]
    fn the_policy_of_the_role_is_one() {
        assert!(Document::parse(ROLE.policy, Kind::Identity).is_ok());
    }
}
