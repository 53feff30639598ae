//! Reading a store that another process has open.
//!
//! WAL lets readers of other processes in beside the writer, so `haechi backup` and `haechi audit`
//! work while haechi serves. They take no lock and write nothing.

use std::path::Path;

use haechi_store::{Kv, Range, StoreError, limits};

use crate::{fault, maintain, read::Snapshot, schema};

/// Runs `read` in one read transaction on the store in `dir`.
fn with<T>(
    dir: &Path,
    read: impl FnOnce(&Snapshot<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let path = schema::database(dir);
    let sqlite = |error| fault::sqlite(&path, &error);
    // SQLite would make a missing file; say that there is none.
    std::fs::metadata(&path).map_err(|source| fault::io(&path, source))?;
    let connection = schema::open_reader(&path).map_err(sqlite)?;
    let transaction = connection.unchecked_transaction().map_err(sqlite)?;
    let state = schema::check(&connection, &path)?;
    let answer = read(&Snapshot { connection: &connection, state, path: &path });
    transaction.finish().map_err(sqlite)?;
    answer
}

/// The first page of rows under `prefix`, as they stand now. Blocks.
///
/// # Errors
/// If there is no store in `dir`, or it cannot be read.
pub fn peek(dir: impl AsRef<Path>, prefix: &str) -> Result<Vec<Kv>, StoreError> {
    with(dir.as_ref(), |snapshot| {
        Ok(snapshot.page(&Range::prefix(prefix), limits::page_rows(0), None)?.kvs)
    })
}

/// Writes a copy of the store in `dir` to the new file `target`, as [`crate::SqliteStore::backup_to`]
/// does, beside the process that has it open. Blocks.
///
/// # Errors
/// As [`crate::SqliteStore::backup_to`].
pub fn backup(dir: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<(), StoreError> {
    with(dir.as_ref(), |snapshot| maintain::backup(snapshot, target.as_ref()))
}
