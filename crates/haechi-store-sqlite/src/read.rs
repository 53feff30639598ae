//! Reading at a revision, and the pool of connections that read.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use haechi_store::{Batch, History, Key, Kv, Page, Range, Rev, StoreError};
use rusqlite::{Connection, Error, OptionalExtension, Rows, params};
use tokio::sync::Semaphore;

use crate::{
    fault, row,
    row::{COLUMNS, Version},
    schema::{self, State},
};

/// Most revisions handed to a watch at once.
const EVENTS_REVISIONS_MAX: usize = 256;

/// Versions of a key that a scan reads before it looks the newest one up instead. Some rows, such as
/// counts, have as many as history is kept.
const VERSIONS_READ_MAX: u32 = 8;

/// Connections that read, each used by one task at a time on a blocking thread.
pub(crate) struct Readers {
    path: PathBuf,
    permits: Arc<Semaphore>,
    count: u32,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, count: u32) -> Self {
        let count = count.max(1);
        let permits = Arc::new(Semaphore::new(count as usize));
        Self { path, permits, count, idle: Mutex::default() }
    }

    /// Runs `read` in one read transaction. It goes on to its end if the caller goes away.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let answer = readers.read(read);
            drop(permit);
            answer
        });
        // The task only fails to answer if it panicked or the runtime is going down.
        task.await.map_err(|_| StoreError::Closed)?
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let sqlite = |error| fault::sqlite(&self.path, &error);
        let idle = self.idle.lock().map_err(|_| StoreError::Closed)?.pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path).map_err(sqlite)?,
        };
        let transaction = connection.unchecked_transaction().map_err(sqlite)?;
        let state = schema::state(&connection).map_err(sqlite)?;
        let answer = read(&Snapshot { connection: &connection, state, path: &self.path });
        transaction.finish().map_err(sqlite)?;
        self.idle.lock().map_err(|_| StoreError::Closed)?.push(connection);
        answer
    }

    /// Waits for the reads that run, then lets no other begin.
    pub(crate) async fn close(&self) {
        // Already closed: nothing to wait for.
        if let Ok(all) = self.permits.acquire_many(self.count).await {
            self.permits.close();
            drop(all);
        }
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }
}

#[async_trait]
impl History for ReadersHistory {
    async fn events(&self, prefix: &Key, from: Rev) -> Result<(Vec<Batch>, Rev), StoreError> {
        let prefix = prefix.clone();
        self.0.run(move |snapshot| snapshot.events(&prefix, from)).await
    }
}

/// What a watch reads from.
pub(crate) struct ReadersHistory(pub(crate) Arc<Readers>);

/// The store as one read transaction sees it.
pub(crate) struct Snapshot<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) state: State,
    pub(crate) path: &'a std::path::Path,
}

impl Snapshot<'_> {
    pub(crate) fn fault(&self, error: &Error) -> StoreError {
        fault::sqlite(self.path, error)
    }

    /// The revision to read at, if it is readable.
    pub(crate) fn readable(&self, at: Option<Rev>) -> Result<Rev, StoreError> {
        let State { rev: current, compacted: oldest } = self.state;
        match at {
            Some(asked) if asked > current => Err(StoreError::Future { asked, current }),
            Some(asked) if asked < oldest => Err(StoreError::Compacted { asked, oldest }),
            Some(asked) => Ok(asked),
            None => Ok(current),
        }
    }

    pub(crate) fn rows(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        let at = self.readable(at)?;
        let rows = keys.iter().map(|key| version(self.connection, key, at));
        let rows: Result<Vec<_>, Error> =
            rows.map(|version| Ok(version?.and_then(Version::into_kv))).collect();
        Ok((rows.map_err(|error| self.fault(&error))?, at))
    }

    pub(crate) fn page(
        &self,
        range: &Range,
        limit: usize,
        at: Option<Rev>,
    ) -> Result<Page, StoreError> {
        let rev = self.readable(at)?;
        let mut page = Page { kvs: Vec::new(), more: false, rev };
        if range.is_empty() {
            return Ok(page);
        }
        self.scan(range, rev, |kv| {
            if page.kvs.len() == limit {
                page.more = true;
                return Ok(false);
            }
            page.kvs.push(kv);
            Ok(true)
        })?;
        Ok(page)
    }

    /// Hands the rows of `range` at `rev` to `each`, in key order, until it says `false`.
    pub(crate) fn scan(
        &self,
        range: &Range,
        rev: Rev,
        mut each: impl FnMut(Kv) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut start = Some(range.start.clone());
        while let Some(from) = start {
            start = self.scan_from(&from, range.end.as_ref(), rev, &mut each)?;
        }
        Ok(())
    }

    /// A scan that ends after a key with many versions, as those would all be read; answers where
    /// it is to go on.
    fn scan_from(
        &self,
        start: &Key,
        end: Option<&Key>,
        rev: Rev,
        each: &mut impl FnMut(Kv) -> Result<bool, StoreError>,
    ) -> Result<Option<Key>, StoreError> {
        let fault = |error: Error| self.fault(&error);
        let (below, end) = match end {
            Some(end) => ("AND key < ?3", end.as_bytes()),
            None => ("AND ?3 IS NOT NULL", &[][..]),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM log INDEXED BY log_key
             WHERE key >= ?1 AND id <= ?2 {below} ORDER BY key, id"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(fault)?;
        let parameters = params![start.as_bytes(), row::last_id(rev), end];
        let mut rows = statement.query(parameters).map_err(fault)?;
        // Versions of a key come oldest first; its last one is what `rev` shows.
        let (mut shown, mut versions): (Option<Version>, _) = (None, 0);
        while let Some(next) = next_version(&mut rows).map_err(fault)? {
            if let Some(before) = shown.take_if(|before| before.key != next.key) {
                versions = 0;
                if let Some(kv) = before.into_kv()
                    && !each(kv)?
                {
                    return Ok(None);
                }
            }
            versions += 1;
            if versions == VERSIONS_READ_MAX {
                let newest = version(self.connection, &next.key, rev).map_err(fault)?;
                let goes_on = newest.and_then(Version::into_kv).map_or(Ok(true), &mut *each)?;
                return Ok(goes_on.then(|| next.key.successor()));
            }
            shown = Some(next);
        }
        if let Some(kv) = shown.and_then(Version::into_kv) {
            each(kv)?;
        }
        Ok(None)
    }

    pub(crate) fn events(&self, prefix: &Key, from: Rev) -> Result<(Vec<Batch>, Rev), StoreError> {
        let oldest = self.state.compacted;
        if from <= oldest {
            return Err(StoreError::Compacted { asked: from, oldest });
        }
        let fault = |error: Error| self.fault(&error);
        let sql = format!("SELECT {COLUMNS} FROM log WHERE id >= ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql).map_err(fault)?;
        let mut rows = statement.query([row::first_id(from)]).map_err(fault)?;
        let mut batches: Vec<Batch> = Vec::new();
        while let Some(version) = next_version(&mut rows).map_err(fault)? {
            if !version.key.starts_with(prefix) {
                continue;
            }
            let rev = version.rev();
            let full = batches.len() == EVENTS_REVISIONS_MAX;
            match batches.last_mut().filter(|batch| batch.rev == rev) {
                Some(batch) => batch.events.push(version.into_event()),
                None if full => return Ok((batches, rev)),
                None => batches.push(Batch { rev, events: vec![version.into_event()] }),
            }
        }
        Ok((batches, from.max(self.state.rev.next())))
    }
}

/// What `key` was at `at`; deleted counts as something.
pub(crate) fn version(
    connection: &Connection,
    key: &Key,
    at: Rev,
) -> Result<Option<Version>, Error> {
    let sql = "SELECT id, key, value, create_rev, version, lease, sum FROM log
               WHERE key = ?1 AND id <= ?2 ORDER BY id DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![key.as_bytes(), row::last_id(at)], Version::read).optional()
}

fn next_version(rows: &mut Rows<'_>) -> Result<Option<Version>, Error> {
    rows.next()?.map(Version::read).transpose()
}
