//! When access keys, roles and users were last used, for which services.
//!
//! Kept in memory, since a write for each request would be absurd, and written out now and then
//! by [`Iam::flush_last_used`]. A crash loses the uses since the last flush: a key may then seem
//! to have been used a little earlier than it was. AWS promises no more ("may lag").
//!
//! Calls with a long-term key are noted under the key, those of sessions under the role or user
//! whose sessions they are: one entry for each call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Caller, Path, Region, SessionHolder, access_key_id};
use haechi_iam_model::shapes::RoleLastUsed;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::store::{
    AccessKeyRecord, LastUsedRecord, RoleRecord, ServiceUseRecord, UserRecord, holder_used_path,
    key_path, last_used_path, role_path, user_path,
};

/// Keys, roles and users remembered between two flushes, at most; further ones are not noted until
/// the next.
const ENTRIES_MAX: usize = 100_000;

/// Entries in one transaction: two conditions and writes each, well below the store's 100.
const CHUNK: usize = 32;

/// How far back the use of roles is told ("`RoleLastUsed`", API reference): 400 days.
const ROLE_WINDOW_MS: i64 = 400 * 24 * 60 * 60 * 1000;

/// The last use for one service.
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
    User { account: AccountId, name: String },
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    whose: Whose,
    /// One for each service.
    uses: Vec<Use>,
}

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<HashMap<String, Entry>>);

/// Under which id a caller's calls are noted; none for sessions of root and federated users.
fn id_of(caller: &Caller) -> Option<&str> {
    match caller.session.as_ref().map(|session| &session.holder) {
        None => Some(&caller.access_key_id),
        Some(SessionHolder::Role { id, .. } | SessionHolder::User { id, .. }) => Some(id),
        Some(_) => None,
    }
}

fn whose(caller: &Caller) -> Whose {
    let account = caller.account.clone();
    match caller.session.as_ref().map(|session| &session.holder) {
        Some(SessionHolder::Role { name, .. }) => Whose::Role { account, name: name.clone() },
        Some(SessionHolder::User { name, .. }) => Whose::User { account, name: name.clone() },
        _ => Whose::Key,
    }
}

impl LastUsed {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, caller: &Caller, service: &str, region: &Region, time: Timestamp) {
        let Some(id) = id_of(caller) else { return };
        let new = || Use { time, service: service.to_owned(), region: region.as_str().to_owned() };
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(id) else {
            if entries.len() < ENTRIES_MAX {
                let entry = Entry { whose: whose(caller), uses: vec![new()] };
                entries.insert(id.to_owned(), entry);
            }
            return;
        };
        match entry.uses.iter_mut().find(|known| known.service == service) {
            // Most often the same as before, and then nothing is allocated.
            Some(last) => {
                last.time = time;
                if last.region != region.as_str() {
                    region.as_str().clone_into(&mut last.region);
                }
            }
            None => entry.uses.push(new()),
        }
    }

    fn of(&self, id: &str) -> Vec<Use> {
        self.lock().get(id).map(|entry| entry.uses.clone()).unwrap_or_default()
    }
}

/// Uses with others laid over them that came later.
fn merged(mut known: Vec<Use>, later: Vec<Use>) -> Vec<Use> {
    known.retain(|one| !later.iter().any(|other| other.service == one.service));
    known.extend(later);
    known
}

impl LastUsedRecord {
    fn uses(&self) -> Vec<Use> {
        let of = |service: &str, used_ms: i64, region: &str| Use {
            time: Timestamp::from_millis(used_ms),
            service: service.to_owned(),
            region: region.to_owned(),
        };
        let last = of(&self.service, self.used_ms, &self.region);
        let services = self.services.iter();
        let each = services.map(|(service, one)| of(service, one.used_ms, &one.region));
        merged(each.collect(), vec![last])
    }

    fn of(uses: &[Use]) -> Option<LastUsedRecord> {
        let last = uses.iter().max_by_key(|one| one.time)?;
        let each = |one: &Use| {
            let record = ServiceUseRecord {
                used_ms: one.time.millis(),
                region: one.region.clone(),
                unknown: Unknown::new(),
            };
            (one.service.clone(), record)
        };
        Some(LastUsedRecord {
            used_ms: last.time.millis(),
            service: last.service.clone(),
            region: last.region.clone(),
            services: uses.iter().map(each).collect(),
            unknown: Unknown::new(),
        })
    }
}

impl Iam {
    /// When, for what and where a key was last used.
    pub(crate) async fn last_use(&self, key_id: &str) -> Result<Option<Use>, Fault> {
        let uses = self.key_uses(key_id).await?;
        Ok(uses.into_iter().max_by_key(|one| one.time))
    }

    /// The last use of a key for each service.
    pub(crate) async fn key_uses(&self, key_id: &str) -> Result<Vec<Use>, Fault> {
        self.all_uses(key_id, &last_used_path(key_id)).await
    }

    /// The last use for each service of a role, or of a user's sessions.
    pub(crate) async fn holder_uses(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Vec<Use>, Fault> {
        self.all_uses(id, &holder_used_path(account, id)).await
    }

    async fn all_uses(&self, id: &str, path: &Path) -> Result<Vec<Use>, Fault> {
        // Memory first: what a flush writes meanwhile is seen at least once.
        let later = self.last_used.of(id);
        let row = self.database.load::<LastUsedRecord>(path).await?;
        Ok(merged(row.map(|row| row.value.uses()).unwrap_or_default(), later))
    }

    /// When and where a role was last used, as AWS shows it: empty where it never was, or not
    /// within 400 days.
    pub(crate) async fn role_last_used(
        &self,
        account: &AccountId,
        role_id: &str,
    ) -> Result<RoleLastUsed, Fault> {
        let since = self.env.now().millis() - ROLE_WINDOW_MS;
        let uses = self.holder_uses(account, role_id).await?;
        let last = uses.into_iter().max_by_key(|one| one.time);
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
            found_any = true;
            let row = self.database.load::<LastUsedRecord>(&path).await?;
            let known = row.map(|row| row.value.uses()).unwrap_or_default();
            if let Some(record) = LastUsedRecord::of(&merged(known, entry.uses.clone())) {
                batch.put(path, &record);
            }
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
                Ok(Some(holder_used_path(account, id)))
            }
            Whose::User { account, name } => {
                let user = self.database.load::<UserRecord>(&user_path(account, name)).await?;
                let Some(user) = user.filter(|user| user.value.id == id) else { return Ok(None) };
                batch.unchanged(&user);
                Ok(Some(holder_used_path(account, id)))
            }
        }
    }
}
