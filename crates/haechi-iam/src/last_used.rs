//! When access keys were last used.
//!
//! Kept in memory, since a write for each request would be absurd, and written out now and then
//! by [`Iam::flush_last_used`]. A crash loses the uses since the last flush: a key may then seem
//! to have been used a little earlier than it was. AWS promises no more ("may lag").

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Region, access_key_id};
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::store::{AccessKeyRecord, LastUsedRecord, key_path, last_used_path};

/// Keys remembered between two flushes, at most; further ones are not noted until the next.
const KEYS_MAX: usize = 100_000;

/// Keys in one transaction: two conditions and writes each, well below the store's 100.
const CHUNK: usize = 32;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) time: Timestamp,
    pub(crate) service: String,
    pub(crate) region: String,
}

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<HashMap<String, Use>>);

impl LastUsed {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, id: &str, service: &str, region: &Region, time: Timestamp) {
        let mut uses = self.lock();
        if let Some(last) = uses.get_mut(id) {
            last.time = time;
            // Most often the same as before, and then nothing is allocated.
            if last.service != service {
                service.clone_into(&mut last.service);
            }
            if last.region != region.as_str() {
                region.as_str().clone_into(&mut last.region);
            }
        } else if uses.len() < KEYS_MAX {
            let (service, region) = (service.to_owned(), region.as_str().to_owned());
            uses.insert(id.to_owned(), Use { time, service, region });
        }
    }
}

impl Iam {
    /// When, for what and where a key was last used.
    pub(crate) async fn last_use(&self, id: &str) -> Result<Option<Use>, Fault> {
        if let Some(known) = self.last_used.lock().get(id) {
            return Ok(Some(known.clone()));
        }
        let row = self.database.load::<LastUsedRecord>(&last_used_path(id)).await?;
        Ok(row.map(|row| Use {
            time: Timestamp::from_millis(row.value.used_ms),
            service: row.value.service,
            region: row.value.region,
        }))
    }

    /// Writes out the uses of keys that are only in memory: to be called every minute or so, and
    /// before the end.
    ///
    /// # Errors
    /// If the store fails; what was not written stays in memory.
    pub async fn flush_last_used(&self) -> Result<(), Fault> {
        let pending: Vec<(String, Use)> =
            self.last_used.lock().iter().map(|(id, last)| (id.clone(), last.clone())).collect();
        for chunk in pending.chunks(CHUNK) {
            match self.write_last_uses(chunk).await {
                Ok(()) => {}
                // A key changed meanwhile: the next flush takes this chunk again.
                Err(Fault::Conflict) => continue,
                Err(fault) => return Err(fault),
            }
            let mut uses = self.last_used.lock();
            for (id, written) in chunk {
                if uses.get(id) == Some(written) {
                    uses.remove(id);
                }
            }
        }
        Ok(())
    }

    async fn write_last_uses(&self, uses: &[(String, Use)]) -> Result<(), Fault> {
        let mut batch = Batch::new();
        let mut found_any = false;
        for (id, last) in uses {
            // A key that is gone leaves nothing behind.
            let Some(account) = access_key_id::account(id) else { continue };
            let path = key_path(&account, id);
            let Some(key) = self.database.load::<AccessKeyRecord>(&path).await? else { continue };
            found_any = true;
            batch.unchanged(&key);
            let record = LastUsedRecord {
                used_ms: last.time.millis(),
                service: last.service.clone(),
                region: last.region.clone(),
                unknown: Unknown::new(),
            };
            batch.put(last_used_path(id), &record);
        }
        if found_any { self.database.commit(batch).await } else { Ok(()) }
    }
}
