//! When access keys and roles were last used.
//!
//! Kept in memory, since a write for each request would be absurd, and written out now and then
//! by [`Iam::flush_last_used`]. A crash loses the uses since the last flush: a key may then seem
//! to have been used a little earlier than it was. AWS promises no more ("may lag").
//!
//! Calls with a long-term key are noted under the key, those of a role's sessions under the role.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Caller, Path, Region, SessionHolder, access_key_id};
use haechi_iam_model::shapes::RoleLastUsed;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::store::{
    AccessKeyRecord, LastUsedRecord, RoleRecord, key_path, last_used_path, role_path,
    role_used_path,
};

/// Keys and roles remembered between two flushes, at most; further ones are not noted until the
/// next.
const ENTRIES_MAX: usize = 100_000;

/// Entries in one transaction: two conditions and writes each, well below the store's 100.
const CHUNK: usize = 32;

/// How far back the use of roles is told ("`RoleLastUsed`", API reference): 400 days.
const ROLE_WINDOW_MS: i64 = 400 * 24 * 60 * 60 * 1000;

/// A use.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) time: Timestamp,
    pub(crate) service: String,
    pub(crate) region: String,
}

/// Whose id an entry has.
#[derive(Clone, PartialEq, Eq)]
enum Whose {
    Key,
    Role { account: AccountId, name: String },
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    whose: Whose,
    last: Use,
}

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<Entries>);

type Entries = HashMap<String, Entry, RandomState>;

/// Under which id a caller's calls are noted; none for sessions of others than roles.
fn id_of(caller: &Caller) -> Option<&str> {
    match caller.session.as_ref().map(|session| &session.holder) {
        None => Some(&caller.access_key_id),
        Some(SessionHolder::Role { id, .. }) => Some(id),
        Some(_) => None,
    }
}

fn whose(caller: &Caller) -> Whose {
    let account = caller.account.clone();
    match caller.session.as_ref().map(|session| &session.holder) {
        Some(SessionHolder::Role { name, .. }) => Whose::Role { account, name: name.clone() },
        _ => Whose::Key,
    }
}

impl LastUsed {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, caller: &Caller, service: &str, region: &Region, time: Timestamp) {
        let Some(id) = id_of(caller) else { return };
        let mut entries = self.lock();
        if let Some(Entry { last, .. }) = entries.get_mut(id) {
            last.time = time;
            // Most often the same as before, and then nothing is allocated.
            if last.service != service {
                service.clone_into(&mut last.service);
            }
            if last.region != region.as_str() {
                region.as_str().clone_into(&mut last.region);
            }
        } else if entries.len() < ENTRIES_MAX {
            let (service, region) = (service.to_owned(), region.as_str().to_owned());
            let entry = Entry { whose: whose(caller), last: Use { time, service, region } };
            entries.insert(id.to_owned(), entry);
        }
    }
}

impl Iam {
    /// When, for what and where a key was last used.
    pub(crate) async fn last_use(&self, key_id: &str) -> Result<Option<Use>, Fault> {
        self.use_under(key_id, &last_used_path(key_id)).await
    }

    async fn use_under(&self, id: &str, path: &Path) -> Result<Option<Use>, Fault> {
        let known = self.last_used.lock().get(id).map(|known| known.last.clone());
        if known.is_some() && self.database.is_alone() {
            return Ok(known);
        }
        let row = self.database.load::<LastUsedRecord>(path).await?;
        let written = row.map(|row| Use {
            time: Timestamp::from_millis(row.value.used_ms),
            service: row.value.service,
            region: row.value.region,
        });
        Ok(known.into_iter().chain(written).max_by_key(|last| last.time.millis()))
    }

    /// When and where a role was last used, as AWS shows it: empty where it never was, or not
    /// within 400 days.
    pub(crate) async fn role_last_used(
        &self,
        account: &AccountId,
        role_id: &str,
    ) -> Result<RoleLastUsed, Fault> {
        let since = self.env.now().millis() - ROLE_WINDOW_MS;
        let last = self.use_under(role_id, &role_used_path(account, role_id)).await?;
        Ok(match last.filter(|last| last.time.millis() >= since) {
            Some(last) => {
                RoleLastUsed { last_used_date: Some(last.time), region: Some(last.region) }
            }
            None => RoleLastUsed::default(),
        })
    }

    /// Writes out the uses that are only in memory: to be called every minute or so, and before
    /// the end.
    ///
    /// # Errors
    /// If the store fails; what was not written stays in memory.
    pub async fn flush_last_used(&self) -> Result<(), Fault> {
        let pending: Vec<(String, Entry)> =
            self.last_used.lock().iter().map(|(id, entry)| (id.clone(), entry.clone())).collect();
        for chunk in pending.chunks(CHUNK) {
            match self.write_last_uses(chunk).await {
                Ok(()) => {}
                // A key changed meanwhile: the next flush takes this chunk again.
                Err(Fault::Conflict) => continue,
                Err(fault) => return Err(fault),
            }
            let mut entries = self.last_used.lock();
            for (id, written) in chunk {
                if entries.get(id) == Some(written) {
                    entries.remove(id);
                }
            }
        }
        Ok(())
    }

    async fn write_last_uses(&self, entries: &[(String, Entry)]) -> Result<(), Fault> {
        let mut batch = Batch::new();
        let mut found_any = false;
        for (id, entry) in entries {
            // What is gone leaves nothing behind.
            let Some(path) = self.place_of(&mut batch, id, &entry.whose).await? else { continue };
            if !self.database.is_alone() {
                // Another node may have written a later use.
                let written = self.database.load::<LastUsedRecord>(&path).await?;
                let used_ms = entry.last.time.millis();
                if written.is_some_and(|written| written.value.used_ms >= used_ms) {
                    continue;
                }
            }
            found_any = true;
            let record = LastUsedRecord {
                used_ms: entry.last.time.millis(),
                service: entry.last.service.clone(),
                region: entry.last.region.clone(),
                unknown: Unknown::new(),
            };
            batch.put(path, &record);
        }
        if found_any { self.database.commit(batch).await } else { Ok(()) }
    }

    /// Where the uses under an id lie, if what has it is still there, which the batch then
    /// demands.
    async fn place_of(
        &self,
        batch: &mut Batch,
        id: &str,
        whose: &Whose,
    ) -> Result<Option<Path>, Fault> {
        match whose {
            Whose::Key => {
                let Some(account) = access_key_id::account(id) else { return Ok(None) };
                let path = key_path(&account, id);
                let Some(key) = self.database.load::<AccessKeyRecord>(&path).await? else {
                    return Ok(None);
                };
                batch.unchanged(&key);
                Ok(Some(last_used_path(id)))
            }
            Whose::Role { account, name } => {
                let role = self.database.load::<RoleRecord>(&role_path(account, name)).await?;
                let Some(role) = role.filter(|role| role.value.id == id) else { return Ok(None) };
                batch.unchanged(&role);
                Ok(Some(role_used_path(account, id)))
            }
        }
    }
}
