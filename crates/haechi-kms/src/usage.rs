//! Which keys are used, when last, and how often.
//!
//! Kept in memory, since a write for each request would be absurd, and written out now and then by
//! [`Kms::flush_usage`]. A crash loses what was used since the last flush.
//!
//! ```text
//! /kms-usage/<account>/<region>/<key id>      UsageRecord
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Path, Record};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::store::{Key, KeyRecord};

/// Keys remembered between two flushes, at most; further ones are not noted until the next.
const KEYS_MAX: usize = 100_000;

/// Keys in one transaction: one condition and one write each, below the store's 100.
const CHUNK: usize = 40;

/// How a key was used so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UsageRecord {
    account: String,
    region: String,
    key_id: String,
    last: LastUse,
    /// Successful requests, by operation.
    counts: BTreeMap<String, u64>,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for UsageRecord {}

/// The last successful cryptographic operation of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// The operation.
    pub operation: String,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// The request's id.
    pub request_id: String,
    /// The id of its record in the audit log.
    pub event_id: String,
}

/// How a key was used.
#[derive(Debug, Clone)]
pub struct KeyUsage {
    /// The account that owns it.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its id.
    pub key_id: String,
    /// When it was last used.
    pub last: LastUse,
    /// Successful requests since it was made, by operation.
    pub counts: BTreeMap<String, u64>,
}

/// Uses that are not written yet.
struct Pending {
    account: String,
    region: String,
    key_id: String,
    last: LastUse,
    counts: Vec<(&'static str, u64)>,
}

impl Pending {
    /// A row without counts, and the counts that it is to get.
    fn split(&self) -> (UsageRecord, Vec<(&'static str, u64)>) {
        let record = UsageRecord {
            account: self.account.clone(),
            region: self.region.clone(),
            key_id: self.key_id.clone(),
            last: self.last.clone(),
            counts: BTreeMap::new(),
            unknown: Unknown::new(),
        };
        (record, self.counts.clone())
    }
}

/// Uses since the last flush, by the key's ARN: a multi-Region key is one per Region.
#[derive(Default)]
pub(crate) struct Usage(Mutex<Uses>);

type Uses = HashMap<String, Pending, RandomState>;

impl Usage {
    fn lock(&self) -> MutexGuard<'_, Uses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &KeyRecord, operation: &'static str, cx: &Cx, event_id: &str) {
        let (mut uses, time_ms) = (self.lock(), cx.now().millis());
        if let Some(pending) = uses.get_mut(&key.arn) {
            // Mostly as long as the ones before, and then nothing is allocated.
            operation.clone_into(&mut pending.last.operation);
            cx.request.id.clone_into(&mut pending.last.request_id);
            event_id.clone_into(&mut pending.last.event_id);
            pending.last.time_ms = time_ms;
            match pending.counts.iter_mut().find(|(name, _)| *name == operation) {
                Some((_, count)) => *count += 1,
                None => pending.counts.push((operation, 1)),
            }
        } else if uses.len() < KEYS_MAX {
            let last = LastUse {
                operation: operation.to_owned(),
                time_ms,
                request_id: cx.request.id.clone(),
                event_id: event_id.to_owned(),
            };
            let (account, region) = (key.account.clone(), key.region.clone());
            let (key_id, counts) = (key.id.clone(), vec![(operation, 1)]);
            uses.insert(key.arn.clone(), Pending { account, region, key_id, last, counts });
        }
    }
}

fn all_usage() -> Path {
    Path::new("kms-usage")
}

pub(crate) fn usage_path(account: &str, region: &str, key_id: &str) -> Path {
    all_usage().part(account).part(region).part(key_id)
}

impl Kms {
    /// Notes that the call has used a key: at the very end, since only success counts.
    pub(crate) fn used(&self, cx: &Cx, key: &Key) -> Result<(), Fault> {
        self.usage.note(&key.record, cx.operation.name, cx, cx.event_id()?);
        Ok(())
    }

    /// When a key was last used.
    pub(crate) async fn last_use(&self, key: &KeyRecord) -> Result<Option<LastUse>, Fault> {
        let pending = self.usage.lock().get(&key.arn).map(|pending| pending.last.clone());
        if pending.is_some() && self.database.is_alone() {
            return Ok(pending);
        }
        let path = usage_path(&key.account, &key.region, &key.id);
        let written = self.database.load::<UsageRecord>(&path).await?.map(|row| row.value.last);
        Ok(pending.into_iter().chain(written).max_by_key(|last| last.time_ms))
    }

    /// How all keys were used, as far as it is written down.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn usage(&self) -> Result<Vec<KeyUsage>, Fault> {
        let rows = self.database.list_all::<UsageRecord>(&all_usage()).await?;
        let usage = |UsageRecord { account, region, key_id, last, counts, .. }| KeyUsage {
            account,
            region,
            key_id,
            last,
            counts,
        };
        Ok(rows.into_iter().map(|row| usage(row.value)).collect())
    }

    /// Writes out the uses that are only in memory: to be called every minute or so, and before
    /// the end.
    ///
    /// # Errors
    /// If the store fails; what was not written stays in memory.
    pub async fn flush_usage(&self) -> Result<(), Fault> {
        let arns: Vec<String> = self.usage.lock().keys().cloned().collect();
        for chunk in arns.chunks(CHUNK) {
            match self.write_usage(chunk).await {
                // A key changed meanwhile: the next flush takes this chunk again.
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    async fn write_usage(&self, arns: &[String]) -> Result<(), Fault> {
        let mut batch = Batch::new();
        let mut written = Vec::with_capacity(arns.len());
        for arn in arns {
            let Some((mut record, counts)) = self.usage.lock().get(arn).map(Pending::split) else {
                continue;
            };
            let (account, region, id) = (&record.account, &record.region, &record.key_id);
            let key = crate::store::key_path(account, region, id);
            let key = self.database.load::<KeyRecord>(&key).await?;
            if let Some(key) = key {
                let path = usage_path(account, region, id);
                if let Some(row) = self.database.load::<UsageRecord>(&path).await? {
                    // Nobody else may have added to it meanwhile.
                    batch.unchanged(&row);
                    if row.value.last.time_ms > record.last.time_ms {
                        record.last = row.value.last;
                    }
                    (record.counts, record.unknown) = (row.value.counts, row.value.unknown);
                }
                for (operation, count) in &counts {
                    *record.counts.entry((*operation).to_owned()).or_default() += count;
                }
                batch.unchanged(&key);
                batch.put(path, &record);
            }
            // Of a key that is gone nothing is kept.
            written.push((arn, counts));
        }
        self.database.commit(batch).await?;
        let mut uses = self.usage.lock();
        for (arn, counts) in written {
            let Some(pending) = uses.get_mut(arn) else { continue };
            for (operation, count) in counts {
                if let Some(left) = pending.counts.iter_mut().find(|left| left.0 == operation) {
                    left.1 -= count;
                }
            }
            pending.counts.retain(|(_, count)| *count > 0);
            if pending.counts.is_empty() {
                uses.remove(arn);
            }
        }
        Ok(())
    }
}
