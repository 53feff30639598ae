//! Lambda, wired: roles of functions, rotation by functions, and what the operator decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Cx, Env, Handle, Operation as _, Region, ServiceRoles, Source};
use haechi_lambda::{
    Delivery, ExecutionRoles, Lambda, Message, Network, Options, RoleCredentials, RuntimeOptions,
};
use haechi_secretsmanager::{RotationError, RotationFunctions};
use haechi_sqs::Sqs;
use haechi_sqs_model::ops::SendMessage;
use haechi_sqs_model::shapes::{MessageAttributeValue, SendMessageRequest};
use haechi_sts::Sts;
use haechi_sts_model::ops::AssumeRole;
use haechi_sts_model::shapes::AssumeRoleRequest;
use haechi_wire::{Fault, Problem, SecretString};
use serde::Deserialize;

/// `[lambda]` of the configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaOptions {
    runtimes: BTreeMap<String, FileRuntime>,
    network: FileNetwork,
    allow_weak_isolation: bool,
    concurrency: Option<usize>,
    processes: Option<u64>,
    idle_seconds: Option<i64>,
    unpacked_mib: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRuntime {
    command: Vec<String>,
    #[serde(default)]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileNetwork {
    machine: bool,
    reach: Vec<String>,
}

impl LambdaOptions {
    /// Whether the operator has named an interpreter.
    pub fn has_runtimes(&self) -> bool {
        !self.runtimes.is_empty()
    }

    /// As Lambda takes them; unpacked code and logs lie in `folder` of the data
    /// directory, or in a temporary one.
    pub fn options(&self, folder: Option<&Path>) -> Options {
        let plain = Options::default();
        let data = folder.and_then(Path::parent);
        let runtime = |(name, one): (&String, &FileRuntime)| {
            let (command, paths) = (one.command.clone(), one.paths.clone());
            (name.clone(), RuntimeOptions { command, paths })
        };
        let network = if self.network.machine {
            Network::Machine
        } else {
            Network::Only(self.network.reach.clone())
        };
        Options {
            runtimes: self.runtimes.iter().map(runtime).collect(),
            network,
            allow_weak_isolation: self.allow_weak_isolation,
            concurrency: self.concurrency.unwrap_or(plain.concurrency),
            processes: self.processes.unwrap_or(plain.processes),
            idle_seconds: self.idle_seconds.unwrap_or(plain.idle_seconds),
            unpacked_max: self
                .unpacked_mib
                .map_or(plain.unpacked_max, |mib| mib.saturating_mul(1 << 20)),
            // As mounts name it; a folder that cannot be found cannot be seen either.
            covered: data.and_then(|data| data.canonicalize().ok()).into_iter().collect(),
            folder: folder.map_or(plain.folder.clone(), Path::to_path_buf),
            ..plain
        }
    }
}

/// What Lambda does as the roles of functions.
pub struct RolesOfFunctions {
    /// Time and randomness.
    pub env: Env,
    /// Makes sessions.
    pub sts: Arc<Sts>,
    /// Makes sessions that call.
    pub roles: Arc<dyn ServiceRoles>,
    /// Takes dead letters and records.
    pub sqs: Arc<Sqs>,
}

fn region(name: &str) -> Result<Region, Fault> {
    Region::parse(name).ok_or_else(|| Fault::internal("a function of no Region"))
}

#[async_trait]
impl ExecutionRoles for RolesOfFunctions {
    async fn assume(
        &self,
        function: Source,
        region_name: &str,
        role_arn: &str,
        session: &str,
    ) -> Result<Option<RoleCredentials>, Fault> {
        let region = region(region_name)?;
        let cx = Cx::by_service(&self.env, region, "lambda", function, AssumeRole::SCHEMA).await?;
        let input = AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: session.to_owned(),
            ..Default::default()
        };
        let made = Handle::<AssumeRole>::handle(&*self.sts, &cx, input).await;
        let keys = match made.map_err(Problem::from) {
            Ok(made) => made.credentials,
            Err(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) => {
                return Err(fault);
            }
            // The trust policy, mostly.
            Err(_) => return Ok(None),
        };
        Ok(keys.map(|keys| RoleCredentials {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
            session_token: SecretString(keys.session_token),
        }))
    }

    async fn send(
        &self,
        function: Source,
        region_name: &str,
        role_arn: &str,
        message: Message,
    ) -> Result<(), String> {
        let told = |fault: Fault| fault.to_string();
        let mut parts = message.target_arn.splitn(6, ':').skip(3);
        let target_region = region(parts.next().unwrap_or_default()).map_err(told)?;
        let (account, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let own = region(region_name).map_err(told)?;
        let session = self.roles.assume("lambda", &function, &own, role_arn).await.map_err(told)?;
        let cx = session.cx(&self.env, target_region, SendMessage::SCHEMA).map_err(told)?;
        let attribute = |(name, kind, value): (&str, &str, String)| {
            let value = MessageAttributeValue {
                string_value: Some(value),
                data_type: kind.to_owned(),
                ..MessageAttributeValue::default()
            };
            (name.to_owned(), value)
        };
        let attributes: BTreeMap<_, _> = message.attributes.into_iter().map(attribute).collect();
        let input = SendMessageRequest {
            queue_url: format!("http://sqs/{account}/{name}"),
            message_body: message.body,
            message_attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
            ..SendMessageRequest::default()
        };
        let sent = Handle::<SendMessage>::handle(&*self.sqs, &cx, input).await;
        sent.map(|_| ()).map_err(|error| Problem::from(error).message())
    }
}

/// Functions that rotate secrets.
pub struct RotationByLambda(pub Arc<Lambda>);

#[async_trait]
impl RotationFunctions for RotationByLambda {
    async fn admits(&self, secret: Source, function_arn: &str) -> Result<bool, Fault> {
        match self.0.admits("secretsmanager", secret, function_arn).await.map_err(Problem::from) {
            Ok(()) => Ok(true),
            Err(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) => {
                Err(fault)
            }
            Err(_) => Ok(false),
        }
    }

    async fn call(
        &self,
        secret: Source,
        function_arn: &str,
        event: String,
    ) -> Result<(), RotationError> {
        let delivery = Delivery { function_arn: function_arn.to_owned(), payload: event };
        let done = self.0.invoke_and_wait("secretsmanager", secret, delivery).await;
        match done.map_err(Problem::from) {
            Ok(Ok(_)) => Ok(()),
            // The function's own words may hold a secret: they are in its log alone.
            Ok(Err(_)) => {
                Err(RotationError(format!("The function {function_arn} failed; its log says why.")))
            }
            Err(problem) => Err(RotationError(problem.message())),
        }
    }
}
