//! Rotators that need no function: real servers and hooks, by `haechi-rotate`, for Secrets Manager.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::Env;
use haechi_rotate::{
    Failure, Hook, HookMessage, HookStep, Login, MySql, Postgres, Redis, Server, Tls, alternate,
    set_alternating, set_single,
};
use haechi_secretsmanager::{Credentials, RotationError, Rotator, SecretsManager, Target};
use haechi_wire::SecretString;
use http::Method;
use zeroize::Zeroizing;

use crate::outbound::{self, Call, Outbound};

/// The name of the rotator that asks a hook.
pub const HOOK: &str = "http-hook";

/// The member of a secret that is the key of its hook.
pub const HOOK_KEY: &str = "hook_key";

/// How long a hook may take for a step.
const HOOK_MAX: Duration = Duration::from_secs(15);

/// Gives Secrets Manager all of them.
pub fn with_rotators(
    secrets: SecretsManager,
    outbound: &Arc<Outbound>,
    env: &Env,
) -> SecretsManager {
    let hooked = Hooked { outbound: Arc::clone(outbound), env: env.clone() };
    secrets
        .with_rotator(HOOK, Arc::new(hooked))
        .with_rotator("postgresql-single-user", Arc::new(Single(Postgres)))
        .with_rotator("postgresql-alternating-users", Arc::new(Alternating(Postgres)))
        .with_rotator("mysql-single-user", Arc::new(Single(MySql)))
        .with_rotator("mysql-alternating-users", Arc::new(Alternating(MySql)))
        .with_rotator("mariadb-single-user", Arc::new(Single(MySql)))
        .with_rotator("mariadb-alternating-users", Arc::new(Alternating(MySql)))
        .with_rotator("redis-single-user", Arc::new(Single(Redis)))
}

/// One user, whose password changes.
struct Single<S>(S);

/// Two users in turns; the secret names the superuser's in `masterarn`.
struct Alternating<S>(S);

/// A hook of the user's, which the secret names in `url`.
struct Hooked {
    outbound: Arc<Outbound>,
    env: Env,
}

fn failed(failure: Failure) -> RotationError {
    RotationError(failure.to_string())
}

/// Refuses what is no database of anybody's: sockets of this machine, where the operating system says
/// who calls, and link-local addresses, where clouds keep their metadata. Databases in private
/// networks are what rotators are for.
fn check_host(host: &str) -> Result<(), RotationError> {
    let refused = |reason: &str| Err(RotationError(format!("The host of the secret {reason}.")));
    if host.is_empty() || host.starts_with(['/', '@']) || host.contains(['/', '\\', ',', ' ']) {
        return refused("is no host");
    }
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let Ok(address) = literal.parse::<IpAddr>() else { return Ok(()) };
    if outbound::is_nowhere(address) { refused("cannot be called") } else { Ok(()) }
}

/// The login that a secret describes, with the names of AWS's templates.
pub fn login(credentials: &Credentials, server: &dyn Server) -> Result<Login, RotationError> {
    let port = credentials.number("port").unwrap_or_else(|| u64::from(server.port()));
    let port = u16::try_from(port)
        .map_err(|_| RotationError(format!("The port {port} of the secret is no port.")))?;
    let tls = match (credentials.flag("ssl"), credentials.text("ssl_ca")) {
        (Some(false), _) | (None, None) => Tls::Off,
        (_, Some(pem)) => Tls::Authorities(pem.to_owned()),
        (Some(true), None) => Tls::System,
    };
    let host = credentials.required("host")?;
    check_host(host)?;
    Ok(Login {
        host: host.to_owned(),
        port,
        username: credentials.required("username")?.to_owned(),
        password: Zeroizing::new(credentials.required("password")?.to_owned()),
        database: credentials.text("dbname").map(str::to_owned),
        tls,
    })
}

#[async_trait]
impl<S: Server> Rotator for Single<S> {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        login(current, &self.0)?;
        Ok(current.clone().with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        let current = login(&target.current, &self.0)?;
        let pending = login(&target.pending, &self.0)?;
        // A version before that says something else is no help, and no reason to fail.
        let previous = target.previous.as_ref().and_then(|previous| login(previous, &self.0).ok());
        set_single(&self.0, &current, previous.as_ref(), &pending).await.map_err(failed)
    }

    async fn test(&self, target: &Target) -> Result<(), RotationError> {
        self.0.test(&login(&target.pending, &self.0)?).await.map_err(failed)
    }
}

#[async_trait]
impl<S: Server> Rotator for Alternating<S> {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        current.required("masterarn")?;
        let username = alternate(&login(current, &self.0)?.username);
        Ok(current.clone().with("username", &username).with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        let current = login(&target.current, &self.0)?;
        let pending = login(&target.pending, &self.0)?;
        let master = target.master.as_ref();
        let master = master.ok_or_else(|| RotationError("The secret has no masterarn.".into()))?;
        let mut master = login(master, &self.0)?;
        master.database.clone_from(&current.database);
        set_alternating(&self.0, &current, &pending, &master).await.map_err(failed)
    }

    async fn test(&self, target: &Target) -> Result<(), RotationError> {
        self.0.test(&login(&target.pending, &self.0)?).await.map_err(failed)
    }
}

/// The hook that a secret describes.
pub fn hook(credentials: &Credentials) -> Result<Hook, RotationError> {
    Hook::new(credentials.required("url")?, credentials.required(HOOK_KEY)?).map_err(failed)
}

/// Asks a hook for a step.
pub async fn ask_hook(
    outbound: &Outbound,
    env: &Env,
    hook: &Hook,
    message: &HookMessage<'_>,
) -> Result<(), RotationError> {
    let body = message.body();
    let headers = hook.headers(&body, env.now().millis().div_euclid(1000));
    let call = Call {
        method: Method::POST,
        url: hook.url(),
        headers: headers.iter().map(|(name, value)| (*name, value.as_str())).collect(),
        body: body.as_bytes(),
        timeout: HOOK_MAX,
    };
    let answer = outbound.call(call).await;
    let answer =
        answer.map_err(|error| RotationError(format!("the hook was not reached: {error}")))?;
    hook.judge(message.step, answer.status).map_err(failed)
}

impl Hooked {
    async fn ask(&self, target: &Target, step: HookStep) -> Result<(), RotationError> {
        let hook = hook(&target.pending)?;
        let shown = |credentials: &Credentials| credentials.json_without(&[HOOK_KEY]);
        let (current, pending) = (shown(&target.current), shown(&target.pending));
        let previous = target.previous.as_ref().map(shown);
        let message = HookMessage {
            step,
            secret_id: &target.secret_arn,
            version_id: Some(&target.version_id),
            current: &current.0,
            pending: &pending.0,
            previous: previous.as_ref().map(|previous| previous.0.as_str()),
        };
        ask_hook(&self.outbound, &self.env, &hook, &message).await
    }
}

#[async_trait]
impl Rotator for Hooked {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        hook(current)?;
        Ok(current.clone().with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        self.ask(target, HookStep::Set).await
    }

    async fn test(&self, target: &Target) -> Result<(), RotationError> {
        self.ask(target, HookStep::Test).await
    }
}
