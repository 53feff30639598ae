//! What touches the whole file: deep check, backup, restore, export, import.

use std::{
    fs,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
    time::Duration,
};

use haechi_store::{
    Range, Rev, StoreError,
    archive::{Reader, Summary, Writer},
};
use rusqlite::{Connection, backup::Backup, params};

use crate::{
    fault,
    read::Snapshot,
    row,
    row::{COLUMNS, Version},
    schema::{self, State},
    write::Group,
};

/// SQLite's own check of every page and index, then the checksum of every row.
pub(crate) fn verify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |error| fault::sqlite(path, &error);
    schema::check(connection, path)?;
    let finding: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if finding != "ok" {
        return Err(fault::corrupt(path, finding));
    }
    let sql = format!("SELECT {COLUMNS} FROM log");
    let mut statement = connection.prepare(&sql).map_err(sqlite)?;
    let mut rows = statement.query([]).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        Version::read(row).map_err(sqlite)?;
    }
    Ok(())
}

/// Copies the database as one snapshot to the new file `target`, and checks the copy.
pub(crate) fn backup(snapshot: &Snapshot<'_>, target: &Path) -> Result<(), StoreError> {
    copy(snapshot.connection, snapshot.path, target)
}

/// Puts the backup `source` into `dir`, which must not hold a store.
pub(crate) fn restore(source: &Path, dir: &Path) -> Result<(), StoreError> {
    let sqlite = |error| fault::sqlite(source, &error);
    // Opening a missing file would be SQLite's "unable to open"; say which file and why.
    fs::metadata(source).map_err(|error| fault::io(source, error))?;
    let connection = schema::open_backup(source).map_err(sqlite)?;
    schema::make_directory(dir)?;
    let lock = crate::lock::acquire(dir)?;
    copy(&connection, source, &schema::database(dir))?;
    drop(lock);
    Ok(())
}

fn copy(from: &Connection, path: &Path, target: &Path) -> Result<(), StoreError> {
    if target.try_exists().map_err(|source| fault::io(target, source))? {
        let source = std::io::ErrorKind::AlreadyExists.into();
        return Err(StoreError::Io { path: target.to_owned(), source });
    }
    let mut draft = target.as_os_str().to_owned();
    draft.push(".partial");
    let draft = Path::new(&draft);
    schema::remove_if_there(draft)?;
    schema::private_file(draft)?;
    let copied = fill(from, path, draft).and_then(|()| schema::publish(draft, target));
    if copied.is_err() {
        // The first error is the one to report; a leftover is replaced by the next try.
        drop(schema::remove_if_there(draft));
    }
    copied
}

fn fill(from: &Connection, path: &Path, draft: &Path) -> Result<(), StoreError> {
    let sqlite = |error| fault::sqlite(draft, &error);
    let mut to = Connection::open(draft).map_err(sqlite)?;
    let copied = Backup::new(from, &mut to)
        .and_then(|backup| backup.run_to_completion(i32::MAX, Duration::ZERO, None));
    copied.map_err(|error| match fault::sqlite(draft, &error) {
        // The copy is new: what is damaged is the original.
        StoreError::Corrupt { detail, .. } => fault::corrupt(path, detail),
        other => other,
    })?;
    verify(&to, path)?;
    // One file, without side files; opening it as a store makes it WAL again.
    to.pragma_update(None, "journal_mode", "DELETE").map_err(sqlite)?;
    to.close().map_err(|(_, error)| sqlite(error))
}

pub(crate) fn export(
    snapshot: &Snapshot<'_>,
    writer: Box<dyn Write + Send>,
) -> Result<Summary, StoreError> {
    let rev = snapshot.state.rev;
    let mut writer = Writer::new(BufWriter::new(writer), rev)?;
    snapshot.scan(&Range::all(), rev, |kv| {
        if kv.lease.is_none() {
            writer.row(&kv)?;
        }
        Ok(true)
    })?;
    writer.finish()
}

/// Fills a new store, in one transaction.
pub(crate) fn import(
    connection: &Connection,
    path: &Path,
    state: State,
    reader: Box<dyn Read + Send>,
) -> Result<Summary, StoreError> {
    if state.rev != Rev::ZERO {
        return Err(StoreError::NotEmpty { rev: state.rev });
    }
    let sqlite = |error| fault::sqlite(path, &error);
    // Rolls back when it is dropped.
    let transaction = connection.unchecked_transaction().map_err(sqlite)?;
    let mut group = Group { connection, path, state };
    let mut reader = Reader::new(BufReader::new(reader))?;
    while let Some(kv) = reader.next_row()? {
        let mod_rev = kv.mod_rev;
        let span = params![row::first_id(mod_rev), row::last_id(mod_rev)];
        let id = connection
            .prepare_cached("SELECT coalesce(max(id) + 1, ?1) FROM log WHERE id BETWEEN ?1 AND ?2")
            .and_then(|mut statement| statement.query_row(span, |row| row.get(0)))
            .map_err(sqlite)?;
        let version = Version {
            id,
            key: kv.key,
            value: Some(kv.value),
            create_rev: row::int(kv.create_rev.0),
            version: row::int(kv.version),
            lease: None,
        };
        group.insert(&version).map_err(sqlite)?;
    }
    let summary = reader.finish()?;
    group.state = State { rev: summary.rev, compacted: summary.rev };
    group.finish(None).map_err(sqlite)?;
    transaction.commit().map_err(sqlite)?;
    Ok(summary)
}
