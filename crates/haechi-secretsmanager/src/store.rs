//! Rows, and loading for a decision.
//!
//! ```text
//! /secretsmanager/<account>/<Region>/<key>                       SecretRecord, in order of creation
//! /secretsmanager-name/<account>/<Region>/<hidden name>          KeyRow: the key of that name
//! /secretsmanager-newest/<account>/<Region>/<key, newest first>  KeyRow: for listing backwards
//! /secretsmanager-value/<account>/<Region>/<key>/<hidden version>  ValueRecord
//! /secretsmanager-rotating/<account>/<Region>/<key>              RotatingRow: see engine.rs
//! ```
//! A key is the time of creation, in hexadecimal milliseconds, and the random end of the ARN; the
//! replicas of a secret have the key of their primary.

use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Path, Record, Resource, Unchecked};
use haechi_policy::Document;
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ahead::Values;
use crate::authz::missing;
use crate::deletion::VALUES_MAX;
use crate::name::SecretId;
use crate::secret::SecretRecord;
use crate::{SecretsManager, policy};

/// Points to a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRow {
    pub(crate) key: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for KeyRow {}

impl KeyRow {
    fn of(record: &SecretRecord) -> KeyRow {
        KeyRow { key: record.key.clone(), unknown: Unknown::new() }
    }
}

/// The key of a new secret.
pub(crate) fn new_key(now: Timestamp, suffix: &str) -> String {
    format!("{:016x}-{suffix}", u64::try_from(now.millis()).unwrap_or(0))
}

/// The key by which the newest comes first.
pub(crate) fn backwards(key: &str) -> String {
    let (created, suffix) = key.split_once('-').unwrap_or((key, ""));
    let created = u64::from_str_radix(created, 16).unwrap_or(0);
    format!("{:016x}-{suffix}", !created)
}

/// Secrets of an account and Region, oldest first.
pub(crate) fn secrets_path(account: &str, region: &str) -> Path {
    Path::new("secretsmanager").part(account).part(region)
}

/// [`KeyRow`]s of an account and Region, newest first.
pub(crate) fn newest_path(account: &str, region: &str) -> Path {
    Path::new("secretsmanager-newest").part(account).part(region)
}

pub(crate) fn secret_path(account: &str, region: &str, key: &str) -> Path {
    secrets_path(account, region).part(key)
}

pub(crate) fn name_path(account: &str, region: &str, name: &str) -> Path {
    Path::new("secretsmanager-name").part(account).part(region).hidden(name)
}

pub(crate) fn value_path(record: &SecretRecord, version: &str) -> Path {
    value_path_at(&record.account, &record.region, &record.key, version)
}

/// The same by the secret's place.
pub(crate) fn value_path_at(account: &str, region: &str, key: &str, version: &str) -> Path {
    Path::new("secretsmanager-value").part(account).part(region).part(key).hidden(version)
}

impl SecretRecord {
    pub(crate) fn path(&self) -> Path {
        secret_path(&self.account, &self.region, &self.key)
    }

    /// Adds a new secret to a batch: fails if its name is taken.
    pub(crate) fn create(&self, batch: &mut Batch) {
        let row = KeyRow::of(self);
        batch.create(self.path(), self);
        batch.create(name_path(&self.account, &self.region, &self.name), &row);
        batch.put(newest_path(&self.account, &self.region).part(&backwards(&self.key)), &row);
    }

    /// Writes a replica, whatever was there.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let row = KeyRow::of(self);
        batch.put(self.path(), self);
        batch.put(name_path(&self.account, &self.region, &self.name), &row);
        batch.put(newest_path(&self.account, &self.region).part(&backwards(&self.key)), &row);
    }

    /// Removes the rows beside the secret's own, and the one that its name is found by.
    pub(crate) fn forget(&self, batch: &mut Batch) {
        batch.delete(name_path(&self.account, &self.region, &self.name));
        self.forget_but_name(batch);
    }

    /// As [`Self::forget`], where many secrets go in the same batch: a job deletes the values.
    pub(crate) fn forget_later(&self, batch: &mut Batch) -> Result<(), Fault> {
        batch.delete(name_path(&self.account, &self.region, &self.name));
        self.forget_place(batch);
        let values = Values::of(self, self.versions.keys().cloned().collect());
        let id = format!("gone-{}", self.changed_ms);
        batch.schedule(&values.unlisted(&id, Timestamp::from_millis(0))?);
        Ok(())
    }

    fn forget_place(&self, batch: &mut Batch) {
        batch.delete(newest_path(&self.account, &self.region).part(&backwards(&self.key)));
        batch.delete(crate::engine::rotating_path(self));
    }

    /// As [`Self::forget`], where another secret takes over the name in the same batch.
    pub(crate) fn forget_but_name(&self, batch: &mut Batch) {
        self.forget_place(batch);
        let over = self.versions.len().saturating_sub(VALUES_MAX);
        for version in self.versions.keys().skip(over) {
            batch.delete(value_path(self, version));
        }
    }

    /// Notes it for the audit record of the call.
    pub(crate) fn note(&self, cx: &Cx) {
        let (arn, account) = (self.arn.clone(), self.account.clone());
        cx.note(Resource { arn, account, kind: "AWS::SecretsManager::Secret" });
    }
}

/// A secret with its policy, compiled.
pub(crate) struct Secret {
    pub(crate) record: SecretRecord,
    pub(crate) policy: Option<Arc<Document>>,
}

impl Secret {
    pub(crate) fn build(record: SecretRecord) -> Result<Secret, Fault> {
        let text = match record.replication_policy() {
            None => record.policy.clone(),
            Some(managed) => Some(policy::joined(record.policy.as_deref(), &managed)?),
        };
        let compile = |text: &String| record.policy_principals.compile(text);
        let policy = text.as_ref().map(compile).transpose()?;
        Ok(Secret { record, policy })
    }
}

impl AsRef<Secret> for Secret {
    fn as_ref(&self) -> &Secret {
        self
    }
}

/// A secret, and how the caller named it.
pub(crate) struct Found<S> {
    pub(crate) secret: S,
    pub(crate) given: String,
}

impl SecretsManager {
    /// The key of a secret by its name.
    pub(crate) async fn key_by_name(
        &self,
        account: &str,
        region: &str,
        name: &str,
    ) -> Result<Option<Arc<KeyRow>>, Fault> {
        let path = name_path(account, region, name);
        self.database.cached(&path, |row: KeyRow| Ok(row)).await
    }

    /// A secret by its place, from the cache.
    pub(crate) async fn ready(
        &self,
        account: &str,
        region: &str,
        key: &str,
    ) -> Result<Option<Arc<Secret>>, Fault> {
        self.database.cached(&secret_path(account, region, key), Secret::build).await
    }

    /// The secret that the caller names, for the call's own action.
    pub(crate) async fn secret(
        &self,
        cx: &Cx,
        given: &str,
    ) -> Result<Unchecked<Found<Arc<Secret>>>, Error> {
        self.secret_for(cx, cx.operation.action, given).await
    }

    /// As [`Self::secret`], for another action.
    pub(crate) async fn secret_for(
        &self,
        cx: &Cx,
        action: &str,
        given: &str,
    ) -> Result<Unchecked<Found<Arc<Secret>>>, Error> {
        let id = SecretId::parse(cx, given)?;
        let region = cx.region.as_str();
        if let Some(row) = self.key_by_name(&id.account, region, &id.name).await?
            && let Some(secret) = self.ready(&id.account, region, &row.key).await?
            && id.suffix.as_ref().is_none_or(|suffix| *suffix == secret.record.suffix)
        {
            return Ok(Unchecked::new(Found { secret, given: given.to_owned() }));
        }
        Err(missing(cx, action, &id, given))
    }
}
