//! What no function has: archives, versions and aliases, by jobs; unpacked code, on each node.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler};
use haechi_wire::{Fault, Timestamp};

use crate::Lambda;
use crate::store::{AliasRecord, FunctionRecord, PieceRecord, Place, VersionRecord, piece, pieces};

/// The kind of the job.
pub(crate) const SWEEP: &str = "lambda-code";

/// How long code may wait for the function that names it.
const AFTER_SECONDS: i64 = 3600;

/// Pieces that go in a transaction.
const AT_ONCE: u32 = 50;

/// The kind of the job that removes what a deleted function has left.
pub(crate) const LEFT: &str = "lambda-left";

/// Versions, and aliases, that go in a transaction; a version takes two writes.
const LEFT_AT_ONCE: u32 = 25;

/// How often unpacked code is looked at.
const CODE_EVERY: Duration = Duration::from_secs(3600);

/// Removes the versions and aliases of a function that is no more.
pub(crate) fn left_job(place: &Place, function: &str, now: Timestamp) -> Job {
    let payload = format!("{}/{}/{function}", place.account, place.region);
    Job::at_once(LEFT, function, now, payload)
}

/// Place and id that a job is about.
fn about(job: &Job) -> Result<(Place, &str), Fault> {
    let mut parts = job.payload.splitn(3, '/');
    let (Some(account), Some(region), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Fault::internal("a job without a place"));
    };
    Ok((Place { account: account.to_owned(), region: region.to_owned() }, id))
}

/// Looks at an archive in an hour.
pub(crate) fn job(place: &Place, code: &str, now: Timestamp) -> Job {
    let payload = format!("{}/{}/{code}", place.account, place.region);
    Job::new(SWEEP, code, now.plus_seconds(AFTER_SECONDS), payload)
}

/// Removes archives that no version of any function has.
pub(crate) struct Sweep {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for Sweep {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let (place, code) = about(job)?;
        if self.used(&place).await?.contains(code) {
            return Ok(batch);
        }
        let some = self.database.list::<PieceRecord>(&pieces(code), None, AT_ONCE).await?;
        for piece in &some.items {
            batch.remove(piece);
        }
        if some.next.is_some() {
            let id = format!("{}+", job.id);
            batch.schedule(&Job::new(SWEEP, &id, now, job.payload.clone()));
        }
        Ok(batch)
    }
}

impl Sweep {
    async fn used(&self, place: &Place) -> Result<BTreeSet<String>, Fault> {
        let mut used = BTreeSet::new();
        for function in self.database.list_all::<FunctionRecord>(&place.functions()).await? {
            let path = place.versions(&function.value.id);
            used.insert(function.value.latest.code.id);
            for version in self.database.list_all::<VersionRecord>(&path).await? {
                used.insert(version.value.0.code.id);
            }
        }
        Ok(used)
    }
}

/// Removes what a deleted function has left: more than goes in the transaction of its own.
pub(crate) struct Leftovers {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for Leftovers {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let (place, function) = about(job)?;
        let mut batch = Batch::new();
        let path = place.versions(function);
        let versions = self.database.list::<VersionRecord>(&path, None, LEFT_AT_ONCE).await?;
        let mut codes = BTreeSet::new();
        for version in &versions.items {
            batch.remove(version);
            codes.insert(version.value.0.code.id.as_str());
        }
        codes.iter().for_each(|code| batch.schedule(&self::job(&place, code, now)));
        let path = place.aliases(function);
        let aliases = self.database.list::<AliasRecord>(&path, None, LEFT_AT_ONCE).await?;
        aliases.items.iter().for_each(|alias| batch.remove(alias));
        if versions.next.is_some() || aliases.next.is_some() {
            batch.schedule(job);
        }
        Ok(batch)
    }
}

impl Lambda {
    /// Ends instances that wait too long, and removes unpacked code that is of no more use, for
    /// ever.
    pub async fn tidy_forever(&self) {
        let code = async {
            loop {
                if let Err(error) = self.tidy_code().await {
                    tracing::warn!(?error, "unpacked code cannot be tidied up");
                }
                tokio::time::sleep(CODE_EVERY).await;
            }
        };
        tokio::join!(self.runner.tidy_forever(), code);
    }

    /// Removes unpacked code whose archive is no more. That goes an hour after the last version that
    /// had it, by when no instance is left either.
    async fn tidy_code(&self) -> Result<(), Fault> {
        let folder = self.runner.code_folder("");
        let found = tokio::task::spawn_blocking(move || unpacked(&folder));
        for (id, path) in found.await.map_err(Fault::internal)? {
            if self.database.load::<PieceRecord>(&piece(&id, 0)).await?.is_some() {
                continue;
            }
            let mut room = self.runner.unpacking.lock().await;
            let removed = tokio::task::spawn_blocking(move || fs::remove_dir_all(path));
            removed.await.map_err(Fault::internal)?.map_err(Fault::internal)?;
            room.freed(&id);
        }
        Ok(())
    }
}

/// The folders of unpacked code, also of code that was being unpacked, by the ids of archives.
fn unpacked(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let named = paths.filter_map(|path| {
        let id = path.file_stem()?.to_str()?.to_owned();
        Some((id, path))
    });
    named.collect()
}

#[cfg(test)]
mod tests;
