//! What tells of a change until its call's record is on disk.
//!
//! The record of a call is written after its change and before its answer. A crash between the two
//! would leave a change that nothing tells of. So each call that may change something says
//! beforehand what its record is to be ([`Intents::around`]), and every [`Batch`] that it commits
//! takes that along in a row of its own. The row goes once the record is on disk
//! ([`Intents::settle`]). What a start finds belongs to calls that were cut off:
//! [`Intents::recover`] puts their records into the audit log. What the log refused, as its disk was
//! full, it gets as soon as it can be written again ([`Intents::make_good`]).
//!
//! ```text
//! /intent/<server>/<event id>     IntentRecord
//! ```
//! Servers that share a store have audit logs of their own, so each recovers what it began.

use std::collections::BTreeSet;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haechi_store::Key;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::database::Unknown;
use crate::{AuditLog, AuditReader, AuditWindow, Batch, Database, Path, Record};

/// Rows that go in one transaction: as many as a transaction takes operations.
const CHUNK: usize = 100;

tokio::task_local! {
    /// The call that is being handled, where it may change something.
    static CURRENT: Arc<Intent>;
}

/// A call whose change is not recorded yet, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct IntentRecord {
    event_id: String,
    time_ms: i64,
    /// The record as far as it was known before: JSON, without what was answered.
    record: String,
    /// Keys of the rows that were written.
    wrote: Vec<String>,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for IntentRecord {}

/// A call that may change something.
pub struct Intent {
    path: Path,
    event_id: String,
    time: Timestamp,
    record: String,
    /// Keys of the rows that it has written so far, or tried to.
    wrote: Mutex<BTreeSet<String>>,
}

impl Intent {
    fn wrote(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.wrote.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, keys: &[Key]) -> IntentRecord {
        let mut wrote = self.wrote();
        wrote.extend(keys.iter().map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()));
        IntentRecord {
            event_id: self.event_id.clone(),
            time_ms: self.time.millis(),
            record: self.record.clone(),
            wrote: wrote.iter().cloned().collect(),
            unknown: Unknown::new(),
        }
    }
}

/// The row of the call that is about to write `keys`, if it has one: beside calls (jobs, flushes)
/// there is none.
pub(crate) fn row(keys: &[Key]) -> Option<(Path, impl Record)> {
    if keys.is_empty() {
        return None;
    }
    CURRENT.try_with(|intent| (intent.path.clone(), intent.row(keys))).ok()
}

/// The intents of a server's calls.
pub struct Intents {
    database: Arc<Database>,
    root: Path,
    /// Rows of those whose records are on disk: they can go.
    settled: Mutex<Vec<Path>>,
    /// Rows of those whose records the audit log refused.
    owed: Mutex<Vec<Path>>,
}

impl Intents {
    /// Of calls to `server` on these records.
    pub fn new(database: Arc<Database>, server: &str) -> Intents {
        Intents {
            database,
            root: Path::new("intent").part(server),
            settled: Mutex::default(),
            owed: Mutex::default(),
        }
    }

    /// The intent of the call whose audit record is to have `event_id`, and is `record` (a JSON
    /// object) as far as it is known before the call is handled.
    pub fn of(&self, event_id: &str, time: Timestamp, record: Vec<u8>) -> Arc<Intent> {
        Arc::new(Intent {
            path: self.root.clone().part(event_id),
            event_id: event_id.to_owned(),
            time,
            record: String::from_utf8_lossy(&record).into_owned(),
            wrote: Mutex::default(),
        })
    }

    /// Handles a call, whose commits take the intent along.
    pub async fn around<F: Future>(&self, intent: Arc<Intent>, call: F) -> F::Output {
        CURRENT.scope(intent, call).await
    }

    /// The call's record is on disk. To be told only then.
    pub fn settle(&self, intent: &Intent) {
        if !intent.wrote().is_empty() {
            self.settled().push(intent.path.clone());
        }
    }

    /// The audit log refused the call's record, and its change may be made.
    pub fn owe(&self, intent: &Intent) {
        if !intent.wrote().is_empty() {
            self.owed().push(intent.path.clone());
        }
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Path>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the records that the audit log refused into it, once it can be written again; answers
    /// how many there were. To be called every second or so.
    ///
    /// # Errors
    /// If the store or the audit log fails; what is left then stays until the next time.
    pub async fn make_good(&self, audit: &dyn AuditLog) -> Result<usize, Fault> {
        const WHY: &str = "The audit log could not be written after the change; the call was \
                           answered as one that may have been done.";
        let mut count = 0;
        while audit.is_healthy() {
            let Some(path) = self.owed().last().cloned() else { break };
            // Without a row nothing was changed.
            if let Some(row) = self.database.load::<IntentRecord>(&path).await? {
                audit.append(cut_off(&row.value, WHY)).await.map_err(Fault::internal)?;
                count += 1;
                self.settled().push(path.clone());
            }
            self.owed().retain(|owed| *owed != path);
        }
        Ok(count)
    }

    fn settled(&self) -> MutexGuard<'_, Vec<Path>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the rows of what is settled: to be called every second or so, and before the end.
    ///
    /// # Errors
    /// If the store fails; the rows then stay until the next time.
    pub async fn flush(&self) -> Result<(), Fault> {
        loop {
            let rows: Vec<Path> = {
                let mut settled = self.settled();
                let first = settled.len().saturating_sub(CHUNK);
                settled.split_off(first)
            };
            if rows.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for row in &rows {
                batch.delete(row.clone());
            }
            if let Err(fault) = self.database.commit(batch).await {
                self.settled().extend(rows);
                return Err(fault);
            }
        }
    }

    /// Puts the records of calls into the audit log that a crash cut off between their change and
    /// their record, and answers how many there were. At a start, before anything is served.
    ///
    /// # Errors
    /// If the store or the audit log fails.
    pub async fn recover(
        &self,
        audit: &dyn AuditLog,
        reader: Arc<dyn AuditReader>,
    ) -> Result<usize, Fault> {
        let rows = self.database.list_all::<IntentRecord>(&self.root).await?;
        let Some(oldest) = rows.iter().map(|row| row.value.time_ms).min() else { return Ok(0) };
        let wanted: BTreeSet<String> = rows.iter().map(|row| row.value.event_id.clone()).collect();
        // The crash may have come between the record and the end of its row.
        let missing = tokio::task::spawn_blocking(move || missing(&*reader, oldest, wanted)).await;
        let missing = missing.map_err(Fault::internal)??;
        for row in rows.iter().filter(|row| missing.contains(&row.value.event_id)) {
            audit.append(cut_off(&row.value, ENDED)).await.map_err(Fault::internal)?;
        }
        for chunk in rows.chunks(CHUNK) {
            let mut batch = Batch::new();
            for row in chunk {
                batch.delete(self.root.clone().part(&row.value.event_id));
            }
            self.database.commit(batch).await?;
        }
        Ok(missing.len())
    }
}

/// Those of these ids that no record of the log has.
fn missing(
    reader: &dyn AuditReader,
    oldest_ms: i64,
    mut wanted: BTreeSet<String>,
) -> Result<BTreeSet<String>, Fault> {
    let window = AuditWindow {
        since: Timestamp::from_millis(oldest_ms),
        until: Timestamp::from_millis(i64::MAX),
    };
    let mut look = |_, record: &[u8]| {
        let text = String::from_utf8_lossy(record);
        let mut parts = text.split("\"eventID\":\"").skip(1);
        if let Some(id) = parts.next().and_then(|rest| rest.split('"').next()) {
            wanted.remove(id);
        }
        if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    reader.newest_first(None, window, &mut look).map_err(Fault::internal)?;
    Ok(wanted)
}

/// What cuts calls off that are recorded at a start.
const ENDED: &str = "The server ended after the change and before the answer.";

/// The record of a call that was cut off: it says so and why, and what was written.
fn cut_off(row: &IntentRecord, why: &str) -> Vec<u8> {
    let note = serde_json::json!({ "interrupted": why, "wrote": row.wrote });
    let object = row.record.strip_suffix('}').unwrap_or(&row.record);
    format!("{object},\"additionalEventData\":{note}}}").into_bytes()
}

#[cfg(test)]
mod tests;
