//! The secrets of EventBridge's connections: Secrets Manager, in the name of whoever changes a
//! connection; or, when an event is on its way, of the account's service-linked role.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AccountId, Caller, Cx, Env, Handle, Operation, PrincipalPolicies, Region, RequestInfo,
};
use haechi_events::{ConnectionSecrets, Whereabouts};
use haechi_policy::{Document, Kind, Principal};
use haechi_secretsmanager::SecretsManager;
use haechi_secretsmanager_model::ops::{CreateSecret, DeleteSecret, GetSecretValue, UpdateSecret};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, GetSecretValueRequest,
    UpdateSecretRequest, UpdateSecretResponse,
};
use haechi_wire::audit::AuditWriter;
use haechi_wire::{Fault, Problem, Schema, SecretString, Shape};

use crate::recorder::{self, Recorder, Told};

/// The service, as in service principals.
const SERVICE: &str = "events";

/// Its role, as a policy of a key may name it.
const ROLE: &str = "AWSServiceRoleForAmazonEventBridgeApiDestinations";

/// What the role may: the secrets of connections, and no others.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DeleteSecret"],
     "Resource":"arn:*:secretsmanager:*:*:secret:events!connection/*"},
    {"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}"#;

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
        let request = RequestInfo {
            id: self.env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some(format!("{SERVICE}.amazonaws.com")),
            referer: None,
            secure_transport: true,
            host: None,
            time: self.env.now(),
        };
        let caller = Arc::new(role(account, region)?);
        let env = self.env.clone();
        let cx = Cx::new(env, request, region.clone(), caller, Op::SCHEMA);
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

/// The service-linked role of an account.
fn role(account: &AccountId, region: &Region) -> Result<Caller, Fault> {
    let policy = Document::parse(POLICY, Kind::Identity).map_err(Fault::internal)?;
    let (partition, session) = (region.partition(), "haechi-connections");
    let path = format!("role/aws-service-role/apidestinations.events.amazonaws.com/{ROLE}");
    let principal = Principal::AssumedRole {
        session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{ROLE}/{session}"),
        role_arn: format!("arn:{partition}:iam::{account}:{path}"),
        role_unique_id: format!("AROA{ROLE}"),
        session_name: session.to_owned(),
        account: account.as_str().to_owned(),
    };
    Ok(Caller {
        principal,
        account: account.clone(),
        access_key_id: String::new(),
        user_id: format!("AROA{ROLE}:{session}"),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies {
            identity: vec![Arc::new(policy)],
            ..PrincipalPolicies::default()
        },
        issued: None,
        session: None,
    })
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
    use super::*;

    #[test]
    fn the_policy_of_the_role_is_one() {
        assert!(Document::parse(POLICY, Kind::Identity).is_ok());
    }
}
