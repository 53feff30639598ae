//! Secrets: of a database, attached to its rotation.

use std::net::Ipv4Addr;

use haechi_core::{AccountId, Cx, Handle, Operation, Region, RequestInfo};
use haechi_gateway::record_unsent;
use haechi_rotate::{Hook, HookMessage, HookStep, Login, MySql, Postgres, Redis, Server, Tls};
use haechi_secretsmanager::{SecretsManager, built_in_arn};
use haechi_secretsmanager_model::ops::{CreateSecret, RotateSecret};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, RotateSecretRequest, RotationRulesType,
};
use haechi_wire::audit::AuditWriter;
use haechi_wire::{Problem, Schema, SecretString, Shape};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Failure;
use crate::installation::Installation;
use crate::operator::Ask;
use crate::rotators::{HOOK, HOOK_KEY, ask_hook};

/// Makes a secret of a user of a server, and lets it be rotated from now on.
#[derive(Serialize, Deserialize)]
pub struct SecretsAttach {
    /// 12 digits; the account that is there, if there is one.
    pub account: Option<String>,
    /// Where the secret is to be.
    pub region: String,
    /// `postgres`, `mysql`, `mariadb`, `redis`, `http`.
    pub engine: String,
    /// The secret's name.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port, if it is not the usual one.
    pub port: Option<u16>,
    /// The database.
    pub database: Option<String>,
    /// The user.
    pub username: String,
    /// Its password, which is replaced at once.
    pub password: Zeroizing<String>,
    /// Whether the server is spoken to in TLS.
    pub tls: bool,
    /// Authorities of its certificate, in PEM, where they are not the machine's.
    pub authorities: Option<String>,
    /// A secret of a superuser: then two users take turns.
    pub master: Option<String>,
    /// As in `RotationRules`.
    pub schedule: String,
    /// Of `http`: the hook.
    #[serde(default)]
    pub hook: Option<AttachedHook>,
}

/// A hook that makes something take a password.
#[derive(Serialize, Deserialize)]
pub struct AttachedHook {
    /// Where it is.
    pub url: String,
    /// The key that signs what it is told.
    pub key: Zeroizing<String>,
}

/// What was made.
#[derive(Serialize, Deserialize)]
pub struct Attached {
    /// The secret.
    pub arn: String,
    /// The version that the rotation is making.
    pub version_id: Option<String>,
}

impl SecretsAttach {
    fn rotator(&self) -> Result<(Box<dyn Server>, String), Failure> {
        let users = if self.master.is_some() { "alternating-users" } else { "single-user" };
        let (server, kind): (Box<dyn Server>, _) = match self.engine.as_str() {
            "postgres" => (Box::new(Postgres), "postgresql"),
            "mysql" | "mariadb" => (Box::new(MySql), self.engine.as_str()),
            "redis" if self.master.is_none() => (Box::new(Redis), "redis"),
            other => return Err(format!("{other} cannot be attached in this way").into()),
        };
        Ok((server, format!("{kind}-{users}")))
    }

    fn value(&self, server: &dyn Server) -> SecretString {
        let mut value = json!({
            "engine": self.engine,
            "host": self.host,
            "port": self.port.unwrap_or(server.port()),
            "username": self.username,
            "password": self.password.as_str(),
        });
        if let (true, Some(object)) = (self.tls, value.as_object_mut()) {
            object.insert("ssl".to_owned(), true.into());
        }
        let more = [
            ("dbname", &self.database),
            ("masterarn", &self.master),
            ("ssl_ca", &self.authorities),
        ];
        for (name, text) in more {
            if let (Some(text), Some(object)) = (text, value.as_object_mut()) {
                object.insert(name.to_owned(), text.as_str().into());
            }
        }
        SecretString(value.to_string())
    }

    /// The secret of a password that a server takes, once it has let it in; and its rotator.
    async fn of_server(&self) -> Result<(SecretString, String), Failure> {
        let (server, rotator) = self.rotator()?;
        let login = Login {
            host: self.host.clone(),
            port: self.port.unwrap_or(server.port()),
            username: self.username.clone(),
            password: self.password.clone(),
            database: self.database.clone(),
            tls: match (self.tls, &self.authorities) {
                (_, Some(pem)) => Tls::Authorities(pem.clone()),
                (true, None) => Tls::System,
                (false, None) => Tls::Off,
            },
        };
        server.test(&login).await.map_err(|failure| format!("nothing was made: {failure}"))?;
        Ok((self.value(&*server), rotator))
    }

    /// The secret of a password that a hook sets, once the hook has let it in; and its rotator.
    async fn of_hook(
        &self,
        installation: &Installation,
        attached: &AttachedHook,
    ) -> Result<(SecretString, String), Failure> {
        let hook = Hook::new(&attached.url, &attached.key)
            .map_err(|failure| format!("nothing was made: {failure}"))?;
        let mut value = json!({
            "engine": self.engine,
            "url": attached.url,
            "password": self.password.as_str(),
        });
        if let (false, Some(object)) = (self.username.is_empty(), value.as_object_mut()) {
            object.insert("username".to_owned(), self.username.as_str().into());
        }
        let shown = Zeroizing::new(value.to_string());
        let message = HookMessage {
            step: HookStep::Test,
            secret_id: &self.name,
            version_id: None,
            current: &shown,
            pending: &shown,
            previous: None,
        };
        let asked = ask_hook(&installation.stack.outbound, &installation.env, &hook, &message);
        asked.await.map_err(|error| format!("nothing was made: {error}"))?;
        if let Some(object) = value.as_object_mut() {
            object.insert(HOOK_KEY.to_owned(), attached.key.as_str().into());
        }
        Ok((SecretString(value.to_string()), HOOK.to_owned()))
    }

    /// What the secret is about.
    fn description(&self) -> String {
        match &self.hook {
            Some(hook) => format!("set by {}", hook.url),
            None => format!("{} at {}", self.username, self.host),
        }
    }
}

impl Ask for SecretsAttach {
    const NAME: &'static str = "secrets.attach";
    type Answer = Attached;

    async fn answer(self, installation: &Installation) -> Result<Attached, Failure> {
        let (value, rotator) = match &self.hook {
            Some(hook) => self.of_hook(installation, hook).await?,
            None => self.of_server().await?,
        };
        let region = Region::parse(&self.region).ok_or("there is no such Region")?;
        let accounts = installation.stack.iam.accounts().await?;
        let account = match &self.account {
            Some(account) => AccountId::parse(account).ok_or("an account has 12 digits")?,
            None => accounts.first().cloned().ok_or("there is no account yet")?,
        };
        let input = CreateSecretRequest {
            name: self.name.clone(),
            description: Some(self.description()),
            secret_string: Some(value),
            client_request_token: Some(installation.env.uuid()?.to_string()),
            ..CreateSecretRequest::default()
        };
        let made = call::<CreateSecret>(installation, &account, &region, input).await?;
        let arn = made.arn.unwrap_or_default();
        let input = RotateSecretRequest {
            secret_id: arn.clone(),
            rotation_lambda_arn: Some(built_in_arn(&region, &account, &rotator)),
            rotation_rules: Some(RotationRulesType {
                schedule_expression: Some(self.schedule.clone()),
                ..RotationRulesType::default()
            }),
            client_request_token: Some(installation.env.uuid()?.to_string()),
            ..RotateSecretRequest::default()
        };
        let begun = call::<RotateSecret>(installation, &account, &region, input).await?;
        // Where no server runs that would go on with it.
        installation.stack.secrets.rotate_all().await?;
        Ok(Attached { arn, version_id: begun.version_id })
    }
}

/// Calls an operation as the root user of the account.
async fn call<Op: Operation>(
    installation: &Installation,
    account: &AccountId,
    region: &Region,
    input: Op::Input,
) -> Result<Op::Output, Failure>
where
    SecretsManager: Handle<Op>,
{
    let env = &installation.env;
    let request = RequestInfo {
        id: env.uuid()?.to_string(),
        source_ip: Ipv4Addr::LOCALHOST.into(),
        user_agent: Some("haechi secrets".to_owned()),
        referer: None,
        trace: None,
        secure_transport: true,
        host: None,
        time: env.now(),
    };
    let caller = std::sync::Arc::new(haechi_iam::root_caller(account, "operator"));
    let cx = Cx::new(env.clone(), request, region.clone(), caller, Op::SCHEMA);
    let audit = &*installation.stack.audit;
    if !audit.is_healthy() {
        return Err("the audit log cannot be written, so nothing was done".into());
    }
    let parameters = redacted(&input, Op::SCHEMA.input);
    let answer = installation.stack.secrets.handle(&cx, input).await;
    let answer: Result<Op::Output, Problem> = answer.map_err(Into::into);
    let elements = answer.as_ref().map(|output| redacted(output, Op::SCHEMA.output));
    let outcome = elements.as_ref().map(Vec::as_slice).map_err(|problem| *problem);
    let recorded = record_unsent(audit, &cx, &parameters, Some(outcome)).await;
    recorded.map_err(|fault| Problem::from(fault).message())?;
    answer.map_err(|problem| problem.message().into())
}

/// As the audit log shows it.
fn redacted(shape: &impl Shape, schema: &'static Schema) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    shape.write(&mut writer, schema);
    writer.finish()
}
