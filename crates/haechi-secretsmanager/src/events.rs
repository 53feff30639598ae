//! What the service tells CloudTrail and EventBridge that it does by itself: rotations, and what
//! becomes of versions of a secret that is deleted.
//!
//! Source: User Guide, "AWS CloudTrail entries for Secrets Manager".

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Env, Event, Job, JobHandler, Region, ServiceEvent};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::secret::SecretRecord;

/// How the service calls itself in records.
const SOURCE: &str = "secretsmanager.amazonaws.com";

/// The kind of the job that tells of versions, one by one.
pub(crate) const TELL_VERSIONS: &str = "secretsmanager-tell-versions";

/// Versions that are told of in one transaction: each takes two rows, and there may be a hundred.
const VERSIONS_AT_ONCE: usize = 40;

/// The versions of a secret wait for their end.
pub(crate) const DELETION_STARTED: &str = "StartSecretVersionDelete";
/// They do not wait any more.
pub(crate) const DELETION_CANCELLED: &str = "CancelSecretVersionDelete";
/// They are gone.
pub(crate) const DELETION_ENDED: &str = "EndSecretVersionDelete";

/// The secret that something happens to; it may be gone when that is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Subject {
    account: String,
    region: String,
    arn: String,
}

impl Subject {
    fn of(record: &SecretRecord) -> Subject {
        let (account, region) = (record.account.clone(), record.region.clone());
        Subject { account, region, arn: record.arn.clone() }
    }

    /// Has an event recorded and told, if the batch is committed.
    fn tell(
        &self,
        (env, now): (&Env, Timestamp),
        name: &str,
        additional: Value,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let (account, region) = (AccountId::parse(&self.account), Region::parse(&self.region));
        let (Some(account), Some(region)) = (account, region) else {
            return Err(Fault::internal("a secret of no account or Region"));
        };
        let event = ServiceEvent {
            source: SOURCE,
            name,
            by: SOURCE,
            account: &self.account,
            region: &self.region,
            kind: "AWS::SecretsManager::Secret",
            arn: &self.arn,
            details: Value::Null,
            additional,
        };
        let record = batch.record(env, now, &event)?;
        let kind = ("aws.secretsmanager", "AWS Service Event via CloudTrail");
        let event = Event::new(env, (&account, &region), now, kind, record)?;
        batch.emit(&event.about([self.arn.clone()]))
    }
}

/// Versions that are still to be told of.
#[derive(Serialize, Deserialize)]
struct Versions {
    subject: Subject,
    event: String,
    time_ms: i64,
    versions: Vec<String>,
}

impl SecretRecord {
    /// Tells of a rotation; `error` is why it failed.
    pub(crate) fn tell_rotation(
        &self,
        at: (&Env, Timestamp),
        name: &str,
        token: &str,
        error: Option<&str>,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let mut additional = json!({ "SecretId": self.arn, "ClientRequestToken": token });
        if let (Some(error), Some(map)) = (error, additional.as_object_mut()) {
            map.insert("Message".to_owned(), error.into());
        }
        Subject::of(self).tell(at, name, additional, batch)
    }

    /// Tells what becomes of each version. By a job: together they may be too many for the batch.
    pub(crate) fn tell_versions(
        &self,
        event: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        if self.versions.is_empty() {
            return Ok(());
        }
        let versions = Versions {
            subject: Subject::of(self),
            event: event.to_owned(),
            time_ms: now.millis(),
            versions: self.versions.keys().cloned().collect(),
        };
        let payload = serde_json::to_string(&versions).map_err(Fault::internal)?;
        let id = format!("{}.{}.{}.{event}", self.account, self.region, self.key);
        batch.schedule(&Job::at_once(TELL_VERSIONS, &id, now, payload));
        Ok(())
    }
}

/// Tells of versions.
pub(crate) struct TellVersions {
    pub(crate) env: Env,
}

#[async_trait]
impl JobHandler for TellVersions {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut told: Versions = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let rest = told.versions.split_off(told.versions.len().min(VERSIONS_AT_ONCE));
        let at = (&self.env, Timestamp::from_millis(told.time_ms));
        for version in &told.versions {
            let additional = json!({ "SecretId": told.subject.arn, "SecretVersionId": version });
            told.subject.tell(at, &told.event, additional, &mut batch)?;
        }
        if !rest.is_empty() {
            told.versions = rest;
            let payload = serde_json::to_string(&told).map_err(Fault::internal)?;
            batch.schedule(&Job { payload, ..job.clone() });
        }
        Ok(batch)
    }
}
