//! Job: code that no function has.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler};
use haechi_wire::{Fault, Timestamp};

use crate::store::{FunctionRecord, PieceRecord, Place, VersionRecord, pieces};

/// The kind of the job.
pub(crate) const SWEEP: &str = "lambda-code";

/// How long code may wait for the function that names it.
const AFTER_SECONDS: i64 = 3600;

/// Pieces that go in a transaction.
const AT_ONCE: u32 = 50;

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
        let mut parts = job.payload.splitn(3, '/');
        let (Some(account), Some(region), Some(code)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::internal("a job without code"));
        };
        let place = Place { account: account.to_owned(), region: region.to_owned() };
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
