//! Connections: how API destinations are authorised, and where the secrets for that lie.
//!
//! ```text
//! authorization.rs  what is kept in the secret, and what of it is shown (pure)
//! token.rs          tokens of OAuth, and the job that gets the first one
//! ```
//! A connection's secret is made, changed and deleted with the permissions of whoever changes the
//! connection, and read by the account's service-linked role. It is there before the connection
//! is; should a crash come between, a job removes it.

mod authorization;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Job, JobHandler, Loaded, Region};
use haechi_events_model::Error;
use haechi_events_model::shapes::{
    ConnectionAuthorizationType, ConnectionState, UpdateConnectionAuthRequestParameters,
};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, DeleteSecretRequest, GetSecretValueRequest, UpdateSecretRequest,
};
use haechi_wire::{Fault, Problem, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{ConnectionRecord, Place};
use crate::{Events, bus, matching, secrets};

pub(crate) use authorization::{
    Authorization, Method, OAuth, Parameter, Parameters, Secret, of_creation,
};
pub(crate) use token::{AUTHORIZE, Authorizing, Tokens, unreached};

/// Connections of an account in a Region, at most (quota).
pub(crate) const CONNECTIONS_MAX: u32 = 3000;

/// The kind of the jobs that look whether a new secret has got its connection.
pub(crate) const ORPHAN: &str = "event-connection-secret";

/// When they look: once whoever made the secret has long gone on.
const ORPHAN_SECONDS: i64 = 600;

/// How long a secret that was read counts.
const KEPT_MS: i64 = 60_000;

/// Secrets that are kept at a time.
const KEPT_MAX: usize = 1024;

/// The resource that policies name, of a connection of the caller's account.
pub(crate) fn resource(cx: &Cx, name: &str) -> String {
    cx.arn("events", &format!("connection/{name}"))
}

pub(crate) fn arn(cx: &Cx, record: &ConnectionRecord) -> String {
    cx.arn("events", &format!("connection/{}/{}", record.name, record.id))
}

/// Name and id in the ARN of something of EventBridge's that has both, with its place.
pub(crate) struct Named<'a> {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
}

impl<'a> Named<'a> {
    /// Reads the ARN of a `connection` or an `api-destination`.
    pub(crate) fn parse(arn: &'a str, kind: &str) -> Option<Named<'a>> {
        let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
        let (partition, "events") = (parts.next()?, parts.next()?) else { return None };
        let region = Region::parse(parts.next()?)?;
        let account = AccountId::parse(parts.next()?)?;
        let rest = parts.next()?.strip_prefix(kind)?.strip_prefix('/')?;
        let (name, id) = rest.split_once('/')?;
        let is_named = !name.is_empty() && !id.is_empty() && region.partition() == partition;
        is_named.then_some(Named { account, region, name, id })
    }
}

pub(crate) fn missing(name: &str) -> Error {
    Error::ResourceNotFoundException(format!(
        "Failed to describe the connection(s). Connection '{name}' does not exist."
    ))
}

/// The state, as answers tell it.
pub(crate) fn state(record: &ConnectionRecord) -> Option<ConnectionState> {
    ConnectionState::parse(&record.state)
}

pub(crate) fn is(record: &ConnectionRecord, state: ConnectionState) -> bool {
    record.state == state.as_str()
}

/// Secrets that were read, by connection and version.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<String, (i64, Arc<Authorization>)>>);

/// What stands for a connection as its secret now is.
fn key(record: &ConnectionRecord) -> String {
    format!("{}/{}", record.id, record.secret_version.as_deref().unwrap_or_default())
}

/// A secret that waits for its connection.
#[derive(Serialize, Deserialize)]
struct Orphan {
    account: AccountId,
    region: Region,
    connection: String,
    secret_name: String,
}

impl Events {
    /// A connection that the caller may call this operation on.
    pub(crate) async fn connection(
        &self,
        cx: &Cx,
        name: &str,
    ) -> Result<Loaded<ConnectionRecord>, Error> {
        bus::allow(cx, &resource(cx, name))?;
        let path = bus::place(cx).connection(name);
        let found = self.database.load::<ConnectionRecord>(&path).await?;
        found.ok_or_else(|| missing(name))
    }

    /// The connection that an ARN names; none if there is no such one any more.
    pub(crate) async fn connection_at(
        &self,
        arn: &str,
    ) -> Result<Option<Loaded<ConnectionRecord>>, Fault> {
        let Some(named) = Named::parse(arn, "connection") else { return Ok(None) };
        let path = Place::new(&named.account, &named.region).connection(named.name);
        let found = self.database.load::<ConnectionRecord>(&path).await?;
        Ok(found.filter(|found| found.value.id == named.id))
    }

    /// A new connection's record, without its secret yet.
    pub(crate) fn new_connection(&self, cx: &Cx, name: &str) -> Result<ConnectionRecord, Fault> {
        let now_ms = cx.now().millis();
        Ok(ConnectionRecord {
            name: name.to_owned(),
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            description: None,
            state: ConnectionState::Creating.as_str().to_owned(),
            state_reason: None,
            authorization_type: String::new(),
            authorization: None,
            kms_key: None,
            secret_arn: None,
            secret_version: None,
            created_ms: now_ms,
            modified_ms: now_ms,
            authorized_ms: None,
            unknown: Unknown::new(),
        })
    }

    /// Gives a connection another authorization, and has its record say so. The batch is to be
    /// committed with the record: it has what follows.
    pub(crate) async fn authorize(
        &self,
        cx: &Cx,
        record: &mut ConnectionRecord,
        kind: ConnectionAuthorizationType,
        given: UpdateConnectionAuthRequestParameters,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let before = match &record.secret_arn {
            Some(secret) => Some(self.secret_of_caller(cx, secret).await?),
            None => None,
        };
        let authorization = Authorization::changed(before, kind, given)?;
        self.keep_secret(cx, record, &authorization, batch).await?;
        kind.as_str().clone_into(&mut record.authorization_type);
        record.authorization = Some(authorization.without_secrets());
        Ok(())
    }

    /// Has a connection's state follow from its authorization having been given.
    pub(crate) fn begin_authorized(
        &self,
        cx: &Cx,
        record: &mut ConnectionRecord,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let now = cx.now();
        record.state_reason = None;
        // Also while the first token of OAuth is on its way (recorded).
        record.authorized_ms = Some(now.millis());
        let oauth = ConnectionAuthorizationType::OauthClientCredentials;
        if record.authorization_type == oauth.as_str() {
            ConnectionState::Authorizing.as_str().clone_into(&mut record.state);
            batch.schedule(&token::authorizing(
                (cx.account(), &cx.region),
                record,
                cx.env.uuid().map_err(Fault::internal)?.to_string(),
                now,
            )?);
        } else {
            ConnectionState::Authorized.as_str().clone_into(&mut record.state);
        }
        Ok(())
    }

    /// What the secret of a connection says, to a caller who may read it.
    async fn secret_of_caller(&self, cx: &Cx, secret_arn: &str) -> Result<Authorization, Error> {
        let input = GetSecretValueRequest {
            secret_id: secret_arn.to_owned(),
            ..GetSecretValueRequest::default()
        };
        let text = self.around.secrets.get(cx, input).await.map_err(secrets::fault)?;
        let parsed = Authorization::parse(&text);
        Ok(parsed.ok_or_else(|| Fault::internal("the secret of a connection cannot be read"))?)
    }

    /// Writes the secret: another version of the one that is there, or a new one.
    async fn keep_secret(
        &self,
        cx: &Cx,
        record: &mut ConnectionRecord,
        authorization: &Authorization,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        if let Some(arn) = &record.secret_arn {
            let input = UpdateSecretRequest {
                secret_id: arn.clone(),
                secret_string: Some(authorization.json()),
                kms_key_id: record.kms_key.clone(),
                client_request_token: Some(cx.env.uuid().map_err(Fault::internal)?.to_string()),
                ..UpdateSecretRequest::default()
            };
            let done = self.around.secrets.update(cx, input).await.map_err(secrets::fault)?;
            record.secret_version = done.version_id;
            return Ok(());
        }
        let id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let name = format!("events!connection/{}/{id}", record.name);
        let orphan = Orphan {
            account: cx.account().clone(),
            region: cx.region.clone(),
            connection: record.name.clone(),
            secret_name: name.clone(),
        };
        let payload = serde_json::to_string(&orphan).map_err(Fault::internal)?;
        let look = Job::new(ORPHAN, &id, cx.now().plus_seconds(ORPHAN_SECONDS), payload);
        let mut first = Batch::new();
        first.schedule(&look);
        self.database.commit(first).await?;
        let input = CreateSecretRequest {
            description: Some(format!("Authorization of the connection {}", record.name)),
            secret_string: Some(authorization.json()),
            kms_key_id: record.kms_key.clone(),
            client_request_token: Some(id),
            name,
            ..CreateSecretRequest::default()
        };
        let made = self.around.secrets.create(cx, input).await.map_err(secrets::fault)?;
        (record.secret_arn, record.secret_version) = (made.arn, made.version_id);
        batch.cancel(&look);
        Ok(())
    }

    /// Removes the secret of a connection.
    pub(crate) async fn drop_secret(
        &self,
        cx: &Cx,
        record: &mut ConnectionRecord,
    ) -> Result<(), Error> {
        let Some(arn) = record.secret_arn.take() else { return Ok(()) };
        self.around.secrets.delete(cx, deletion(arn)).await.map_err(secrets::fault)?;
        (record.secret_version, record.authorization) = (None, None);
        Ok(())
    }

    /// What the secret of a connection says, when nobody calls; as it was read within a minute.
    pub(crate) async fn authorization(
        &self,
        place: secrets::Whereabouts<'_>,
        record: &ConnectionRecord,
        now: Timestamp,
    ) -> Result<Arc<Authorization>, Problem> {
        let key = key(record);
        let fresh = |read_ms: i64| (0..KEPT_MS).contains(&(now.millis() - read_ms));
        {
            let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((read_ms, authorization)) = kept.get(&key)
                && fresh(*read_ms)
            {
                return Ok(Arc::clone(authorization));
            }
        }
        let input = GetSecretValueRequest {
            secret_id: record.secret_arn.clone().unwrap_or_default(),
            version_id: record.secret_version.clone(),
            ..GetSecretValueRequest::default()
        };
        let text = self.around.secrets.get_as_service(place, input).await?;
        let parsed = Authorization::parse(&text)
            .ok_or_else(|| Fault::internal("the secret of a connection cannot be read"))?;
        let parsed = Arc::new(parsed);
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (read_ms, _)| fresh(*read_ms));
        if kept.len() < KEPT_MAX {
            kept.insert(key, (now.millis(), Arc::clone(&parsed)));
        }
        Ok(parsed)
    }
}

fn deletion(secret_id: String) -> DeleteSecretRequest {
    DeleteSecretRequest {
        secret_id,
        force_delete_without_recovery: Some(true),
        ..DeleteSecretRequest::default()
    }
}

/// Removes secrets whose connections never came to be.
pub(crate) struct Sweeping {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) events: Weak<Events>,
}

#[async_trait]
impl JobHandler for Sweeping {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        let events = matching::alive(&self.events)?;
        let orphan: Orphan = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let path = Place::new(&orphan.account, &orphan.region).connection(&orphan.connection);
        let found = events.database.load::<ConnectionRecord>(&path).await?;
        let is_its = |record: &ConnectionRecord| {
            let secret = record.secret_arn.as_deref().unwrap_or_default();
            // Behind the name comes what Secrets Manager adds.
            secret.contains(&format!(":secret:{}-", orphan.secret_name))
        };
        if !found.is_some_and(|found| is_its(&found.value)) {
            let place = (&orphan.account, &orphan.region);
            let input = deletion(orphan.secret_name.clone());
            match events.around.secrets.delete_as_service(place, input).await {
                Err(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) => {
                    return Err(fault);
                }
                Err(refused) => {
                    let (secret, error) = (&orphan.secret_name, refused.message());
                    tracing::warn!(secret, error, "a secret without a connection stays");
                }
                Ok(()) => {}
            }
        }
        Ok(Batch::new())
    }
}
