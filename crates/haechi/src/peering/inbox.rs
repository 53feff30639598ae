//! What peers say, handed to the services. What is taken has a record in the audit log before it is
//! answered, as AWS records it: an event of the service.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, AuditLog, Env, ServiceEvent};
use haechi_iam::Iam;
use haechi_kms::Kms;
use haechi_peer::message::{KeyReport, KeyState, Message, SecretReport, SecretState, parse, write};
use haechi_peer::{Answer, Inbox, Peer, Refusal, Subject};
use haechi_secretsmanager::SecretsManager;
use serde_json::{Value, json};

use crate::stack::Stack;

/// Where messages go.
pub struct Post {
    kms: Arc<Kms>,
    secrets: Arc<SecretsManager>,
    iam: Arc<Iam>,
    audit: Arc<dyn AuditLog>,
    env: Env,
}

impl Post {
    /// To the services of a stack.
    pub fn new(stack: &Stack, env: &Env) -> Post {
        Post {
            kms: Arc::clone(&stack.kms),
            secrets: Arc::clone(&stack.secrets),
            iam: Arc::clone(&stack.iam),
            audit: Arc::clone(&stack.audit),
            env: env.clone(),
        }
    }

    /// Reads a message about an account that is shared with its sender, and exists here.
    async fn read<M: Message>(
        &self,
        from: &Peer,
        body: &[u8],
        account: impl Fn(&M) -> &str,
    ) -> Result<M, Refusal> {
        let message: M = parse(body)?;
        let name = account(&message);
        if !from.shares(name) {
            return Err(Refusal::new(format!("account {name} is not shared with you")));
        }
        let failed = |fault| {
            tracing::error!(error = ?fault, "accounts could not be read for a peer");
            Refusal::new("it failed here: see the log of this deployment")
        };
        let accounts = self.iam.accounts().await.map_err(failed)?;
        if AccountId::parse(name).is_none_or(|account| !accounts.contains(&account)) {
            return Err(Refusal::new(format!("there is no account {name} here")));
        }
        Ok(message)
    }

    /// Records that something was synchronized.
    async fn record(&self, from: &Peer, what: Synchronized<'_>) -> Result<(), Refusal> {
        let failed = |error: &dyn std::fmt::Debug| {
            tracing::error!(?error, "what a peer said could not be recorded");
            Refusal::new("the audit log cannot be written here")
        };
        let event_id = self.env.uuid().map_err(|error| failed(&error))?.to_string();
        let event = ServiceEvent {
            source: what.source,
            name: what.name,
            by: what.source,
            account: what.account,
            region: what.region,
            kind: what.kind,
            arn: &what.arn,
            details: Value::Null,
            additional: json!({ "peer": from.card.name, "peerId": from.id() }),
        };
        let event = event.record(&event_id, self.env.now());
        let bytes = serde_json::to_vec(&event).map_err(|error| failed(&error))?;
        self.audit.append(bytes).await.map_err(|error| failed(&error))
    }
}

/// Something that was synchronized with another deployment.
struct Synchronized<'a> {
    source: &'static str,
    name: &'static str,
    kind: &'static str,
    account: &'a str,
    region: &'a str,
    arn: String,
}

fn key<'a>(state: &'a KeyState, region: &'a str) -> Synchronized<'a> {
    let (account, id) = (&state.account, &state.key_id);
    Synchronized {
        source: "kms.amazonaws.com",
        name: "SynchronizeMultiRegionKey",
        kind: "AWS::KMS::Key",
        account,
        region,
        arn: format!("arn:{}:kms:{region}:{account}:key/{id}", partition(region)),
    }
}

fn secret(state: &SecretState) -> Synchronized<'_> {
    let SecretState { account, region, name, suffix, .. } = state;
    let partition = partition(region);
    Synchronized {
        source: "secretsmanager.amazonaws.com",
        name: "ReplicateSecretVersion",
        kind: "AWS::SecretsManager::Secret",
        account,
        region,
        arn: format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{suffix}"),
    }
}

fn partition(region: &str) -> &'static str {
    haechi_core::Region::parse(region).map_or("aws", |region| region.partition())
}

#[async_trait]
impl Inbox for Post {
    async fn take(&self, from: &Peer, subject: Subject, body: &[u8]) -> Result<Answer, Refusal> {
        if !self.audit.is_healthy() {
            return Err(Refusal::new("the audit log cannot be written here"));
        }
        match subject {
            Subject::Ping => Ok(Answer::new()),
            Subject::KeyState => {
                let state: KeyState =
                    self.read(from, body, |state: &KeyState| &state.account).await?;
                let report = self.kms.take_key_state(from, &state).await?;
                for (region, _) in report.replicas.iter().filter(|(_, replica)| !replica.gone) {
                    self.record(from, key(&state, region)).await?;
                }
                write(&report)
            }
            Subject::KeyReport => {
                let report: KeyReport =
                    self.read(from, body, |report: &KeyReport| &report.account).await?;
                self.kms.take_key_report(from, &report).await?;
                Ok(Answer::new())
            }
            Subject::SecretState => {
                let state: SecretState =
                    self.read(from, body, |state: &SecretState| &state.account).await?;
                let report = self.secrets.take_secret_state(from, &state).await?;
                self.record(from, secret(&state)).await?;
                write(&report)
            }
            Subject::SecretReport => {
                let report: SecretReport =
                    self.read(from, body, |report: &SecretReport| &report.account).await?;
                self.secrets.take_secret_report(from, &report).await?;
                Ok(Answer::new())
            }
        }
    }
}
