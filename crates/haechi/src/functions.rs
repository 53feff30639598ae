//! Lambda, wired: roles of functions, rotation by functions, and what the operator decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use haechi_core::{Cx, Env, Operation as _, Region, ServiceRoles, Source};
use haechi_events::Events;
use haechi_lambda::{
    Delivery, EventQueue, ExecutionRoles, Lambda, Message, Network, Options, QueueRefusal,
    RoleCredentials, RuntimeOptions,
};
use haechi_secretsmanager::{RotationError, RotationFunctions};
use haechi_sns::Sns;
use haechi_sqs::Sqs;
use haechi_sts::Sts;
use haechi_sts_model::ops::AssumeRole;
use haechi_sts_model::shapes::AssumeRoleRequest;
use haechi_wire::{Fault, Problem, SecretString};
use serde::Deserialize;

pub use destinations::MadeLater;
use destinations::Sender;

mod destinations;
mod queues;

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
    /// Takes dead letters and records, and has the messages that functions get.
    pub sqs: Arc<Sqs>,
    /// Takes dead letters and records.
    pub sns: Arc<Sns>,
    /// Takes records.
    pub later: MadeLater,
}

impl RolesOfFunctions {
    /// Tells of what was made after Lambda; the first time counts.
    pub fn reach(&self, lambda: &Arc<Lambda>, events: &Arc<Events>) {
        self.later.lambda.get_or_init(|| Arc::downgrade(lambda));
        self.later.events.get_or_init(|| Arc::downgrade(events));
    }
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
        let function_arn = function.arn.clone();
        let cx = Cx::by_service(&self.env, region, "lambda", function, AssumeRole::SCHEMA).await?;
        let input = AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: session.to_owned(),
            ..Default::default()
        };
        let made = self.sts.assume_for_function(&cx, input, function_arn).await;
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

    async fn queue(
        &self,
        function: Source,
        region_name: &str,
        role_arn: &str,
        queue_arn: &str,
    ) -> Result<Arc<dyn EventQueue>, QueueRefusal> {
        queues::open(self, &function, (region_name, role_arn), queue_arn).await
    }

    async fn send(
        &self,
        function: Source,
        region_name: &str,
        role_arn: &str,
        message: Message,
    ) -> Result<(), String> {
        let told = |fault: Fault| fault.to_string();
        let mut parts = message.target_arn.split(':').skip(2);
        let service = parts.next().unwrap_or_default().to_owned();
        let target_region = region(parts.next().unwrap_or_default()).map_err(told)?;
        let own = region(region_name).map_err(told)?;
        let session = self.roles.assume("lambda", &function, &own, role_arn).await.map_err(told)?;
        let sender = Sender { env: &self.env, session, region: target_region };
        let gone = || format!("{service} is not there");
        match service.as_str() {
            "sns" => sender.to_topic(&self.sns, message).await,
            "lambda" => {
                let lambda = self.later.lambda.get().and_then(Weak::upgrade).ok_or_else(gone)?;
                sender.to_function(&lambda, message).await
            }
            "events" => {
                let events = self.later.events.get().and_then(Weak::upgrade).ok_or_else(gone)?;
                sender.to_bus(&events, message).await
            }
            _ => sender.to_queue(&self.sqs, message).await,
        }
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
