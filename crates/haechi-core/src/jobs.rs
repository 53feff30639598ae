//! Duties that fall due: durable, caught up with after downtime, many at a time.
//!
//! A job is a row, `/jobs/<when>/<kind>/<id>`, written in the same batch as the change that calls
//! for it. Running it yields another batch, and the row goes in the same transaction as that
//! batch: so its effect happens exactly once, however often it was begun.
//!
//! ```text
//! rows that are due ─ scan ─► plan ─ begin ─► a task each ─► commit: effects, and the row goes
//!                             │ one at a time of a kind and id, in the order in which they fell due
//!                             │ so many of a kind: the slow ones wait for each other only
//!                             └ so many in all
//! ```
//!
//! A job that fails is put off, and what fell due later about the same id may then come first.

mod plan;
mod runner;

use async_trait::async_trait;
use haechi_wire::{Fault, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::database::Unknown;
use crate::{Batch, Path, Record};

pub use runner::Jobs;

/// Jobs of one kind that run at a time, unless its handler says otherwise.
pub const KIND_MAX: usize = 16;

/// Jobs that run at a time in all.
pub const RUNNING_MAX: usize = 256;

/// How far apart the clocks of nodes may be before a duty that is due at once waits for another's.
const CLOCKS_APART_SECONDS: i64 = 3600;

/// A duty, due at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// When it falls due; milliseconds since the epoch.
    pub due_ms: i64,
    /// Which handler runs it.
    pub kind: String,
    /// What it is about: made of ids that the server chose, as it can be read on disk.
    pub id: String,
    /// The handler's own data.
    pub payload: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Record for Job {}

/// A payload that this version of haechi cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the job's payload cannot be read: {0}")]
struct Unreadable(serde_json::Error);

impl Job {
    /// A duty of `kind` about `id`.
    pub fn new(kind: &str, id: &str, due: Timestamp, payload: String) -> Job {
        Job {
            due_ms: due.millis(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            payload,
            unknown: Unknown::new(),
        }
    }

    /// A duty that is due at once, also by the clocks of nodes that are behind the one that says
    /// `now`; in the order of such times.
    pub fn at_once(kind: &str, id: &str, now: Timestamp, payload: String) -> Job {
        Job::new(kind, id, now.plus_seconds(-CLOCKS_APART_SECONDS), payload)
    }

    /// The handler's own data, where they are JSON.
    ///
    /// # Errors
    /// If they cannot be read. The job is then seldom tried again, as no time mends it; and not
    /// dropped, as a newer version that wrote it may come back.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.payload).map_err(|error| Fault::internal(Unreadable(error)))
    }

    fn path(&self) -> Path {
        let due = u64::try_from(self.due_ms).unwrap_or(0);
        Path::new("jobs").part(&format!("{due:016x}")).part(&self.kind).part(&self.id)
    }
}

impl Batch {
    /// Adds a job.
    pub fn schedule(&mut self, job: &Job) {
        let due_ms = job.due_ms;
        self.earliest_job = Some(self.earliest_job.map_or(due_ms, |before| before.min(due_ms)));
        self.put(job.path(), job);
    }

    /// Takes a job back; what named it need not know whether it still waits.
    pub fn cancel(&mut self, job: &Job) {
        self.delete(job.path());
    }
}

/// Runs the jobs of one kind. It may take its time, as others go on meanwhile; what it calls must
/// come to an end, though, as the next job about the same id waits for it.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// What is to be changed; committed together with the end of the job. A job whose cause is
    /// gone answers an empty batch.
    ///
    /// # Errors
    /// Any fault; the job is then tried again later.
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault>;

    /// How many jobs of this kind run at a time, of different ids; at least one.
    fn at_a_time(&self) -> usize {
        KIND_MAX
    }
}

#[cfg(test)]
mod tests;
