//! What KMS does to a key by itself, and tells CloudTrail and EventBridge of; and deletion of a key
//! at its date: its material, its aliases and the handles of its ciphertexts go
//! with it, in one transaction; its grants and all handles but the last, which may be many, go
//! before, in several. From its date on nothing finds the key, so none of this can be seen half
//! done, and nobody can call it off. No ciphertext of it opens, for anybody.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::service_event::INTERNAL;
use haechi_core::{
    AccountId, Batch, Database, Env, Event, Job, JobHandler, Loaded, Path, Region, ServiceEvent,
};
use haechi_wire::{Fault, Timestamp};
use serde_json::{Value, json};

use crate::key::{State, Transition};
use crate::multi_region::{Sibling, siblings};
use crate::peering::PeerSlot;
use crate::store::{KeyRecord, alias_path, handle_path, key_path};
use crate::usage::usage_path;
use crate::{grants, key_text};

/// The kind of the job.
pub(crate) const DELETE_KEY: &str = "kms-delete-key";

/// Handles deleted in one transaction, beside 50 aliases; the store takes a hundred writes.
const HANDLES_MAX: usize = 36;

/// Something that KMS does to a key by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OwnAct {
    /// It got new material.
    Rotation,
    /// It was deleted at its date.
    Deletion,
    /// Imported material of it expired.
    Expiration,
}

/// Which key something is told of.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) key_id: &'a str,
    pub(crate) arn: &'a str,
}

impl OwnAct {
    /// Tells of it, if the batch is committed.
    ///
    /// Source: Developer Guide, "Logging AWS KMS API calls" (AwsServiceEvents) and "Monitoring KMS
    /// keys with Amazon EventBridge".
    pub(crate) fn tell(
        self,
        key: &KeyRecord,
        details: Value,
        at: (&Env, Timestamp),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let KeyRecord { account, region, id: key_id, arn, .. } = key;
        self.tell_of(About { account, region, key_id, arn }, details, at, batch)
    }

    /// As [`Self::tell`], of a key whose row need not be at hand.
    pub(crate) fn tell_of(
        self,
        key: About<'_>,
        details: Value,
        (env, now): (&Env, Timestamp),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let (name, detail_type) = match self {
            OwnAct::Rotation => ("RotateKey", "KMS CMK Rotation"),
            OwnAct::Deletion => ("DeleteKey", "KMS CMK Deletion"),
            OwnAct::Expiration => {
                ("DeleteExpiredKeyMaterial", "KMS Imported Key Material Expiration")
            }
        };
        let About { account, region, key_id, arn } = key;
        let (source, kind) = ("kms.amazonaws.com", "AWS::KMS::Key");
        let (by, additional) = (INTERNAL, Value::Null);
        batch.record(
            env,
            now,
            &ServiceEvent { source, name, by, account, region, kind, arn, details, additional },
        )?;
        let lost = || Fault::internal(format!("a key that is nowhere: {arn}"));
        let account = AccountId::parse(account).ok_or_else(lost)?;
        let region = Region::parse(region).ok_or_else(lost)?;
        let detail = json!({ "key-id": key_id });
        let event = Event::new(env, (&account, &region), now, ("aws.kms", detail_type), detail)?;
        batch.emit(&event.about([arn.to_owned()]))
    }
}

/// Deletes keys.
pub(crate) struct DeleteKey {
    database: Arc<Database>,
    env: Env,
    peers: PeerSlot,
}

impl DeleteKey {
    pub(crate) fn new(database: Arc<Database>, env: Env, peers: PeerSlot) -> DeleteKey {
        DeleteKey { database, env, peers }
    }
}

/// Where the key lies that a job is about.
pub(crate) fn key_of_job(job: &Job) -> Result<Path, Fault> {
    let mut parts = job.payload.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(account), Some(region), Some(id)) => Ok(key_path(account, region, id)),
        _ => Err(Fault::internal(format!("a job without a key: {}", job.id))),
    }
}

impl DeleteKey {
    /// Of a key that has rotated for decades there are more handles than a transaction takes: they
    /// go before it, as long as nobody saves the key. Answers those that are left to go with it.
    async fn forget_handles(&self, key: &Loaded<KeyRecord>) -> Result<Vec<Path>, Fault> {
        let handles = key.value.materials.iter().map(|row| handle_path(&row.handle()));
        let mut handles: Vec<Path> = handles.collect();
        while handles.len() > HANDLES_MAX {
            let mut batch = Batch::new();
            batch.unchanged(key);
            handles.drain(..HANDLES_MAX).for_each(|path| batch.delete(path));
            self.database.commit(batch).await?;
        }
        Ok(handles)
    }
}

#[async_trait]
impl JobHandler for DeleteKey {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let path = key_of_job(job)?;
        let Some(key) = key_text::read(&self.database, &path).await? else { return Ok(batch) };
        let record = &key.whole();
        // Cancelled, or scheduled anew: then another job waits.
        if !record.is_gone(|| now) {
            return Ok(batch);
        }
        let (account, region, id) = (&record.account, &record.region, &record.id);
        grants::forget_all(&self.database, &key.row).await?;
        for name in &record.aliases {
            batch.delete(alias_path(account, region, name));
        }
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        if siblings.rows.is_empty() {
            let last = self.forget_handles(&key.row).await?;
            last.into_iter().for_each(|path| batch.delete(path));
        }
        replica_gone(region, &mut siblings.rows, now, &mut batch);
        if let Some(elsewhere) = &mut siblings.elsewhere {
            elsewhere.bury(record);
        }
        siblings.save(record, now, &mut batch);
        batch.delete(usage_path(account, region, id));
        if let Some(path) = record.backing_key_path() {
            batch.delete(path);
        }
        if let Some(job) = record.forget_backing_key(now) {
            batch.schedule(&job);
        }
        key.remove(&mut batch);
        let details = json!({ "keyId": record.id });
        OwnAct::Deletion.tell(record, details, (&self.env, now), &mut batch)?;
        tracing::info!(key = record.arn, "deleted a key and its material at its date");
        Ok(batch)
    }
}

/// Forgets a replica in the rows of the other Regions. A primary that waited for the last one to
/// go has its own date from now on.
pub(crate) fn replica_gone(region: &str, rows: &mut [Sibling], now: Timestamp, batch: &mut Batch) {
    for (_, sibling) in rows {
        let Some(at) = &mut sibling.multi_region else { continue };
        at.replicas.remove(region);
        let last = at.replicas.is_empty();
        if !last || sibling.state != State::PendingReplicaDeletion {
            continue;
        }
        let days = sibling.deletion_window_days.take().unwrap_or(30);
        let Ok(state) = sibling.state.after(Transition::ReplicasGone) else { continue };
        sibling.state = state;
        sibling.deletion_ms = Some(now.plus_seconds(i64::from(days) * 24 * 60 * 60).millis());
        if let Some(job) = sibling.deletion_job() {
            batch.schedule(&job);
        }
    }
}
