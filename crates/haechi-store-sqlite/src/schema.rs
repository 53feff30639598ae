//! The file: tables, creation, and the check on open.
//!
//! ```text
//! log    every state of every key that the history still needs (row.rs); the newest one with a
//!        value is the row as it is now
//! lease  live leases; a lease's rows name it in log.lease
//! state  one row: the revision, and the oldest readable one
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::Read,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use haechi_store::{Rev, StoreError};
use rusqlite::{Connection, Error, OpenFlags};

use crate::{fault, row};

/// "HAEC": says that a SQLite file is one of ours.
const APPLICATION_ID: i64 = 0x4841_4543;
/// Raised by one with every change of the tables.
const FORMAT: i64 = 1;
/// SQLite's page, in bytes.
const PAGE_BYTES: u64 = 4096;
/// After how many pages in the log SQLite moves them to the database.
const CHECKPOINT_PAGES: i64 = 2000;

const TABLES: &str = "
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rev INTEGER NOT NULL,
    compacted INTEGER NOT NULL
) STRICT;
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    value BLOB,
    create_rev INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER,
    sum INTEGER NOT NULL
) STRICT;
CREATE INDEX log_key ON log (key);
CREATE INDEX log_lease ON log (lease) WHERE lease IS NOT NULL;
CREATE TABLE lease (
    id INTEGER PRIMARY KEY,
    ttl_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, 0);
";

/// Where a store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) rev: Rev,
    /// The oldest readable revision.
    pub(crate) compacted: Rev,
}

pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join("store.db")
}

/// Makes the directory, for its owner only.
pub(crate) fn make_directory(dir: &Path) -> Result<(), StoreError> {
    let io = |source| fault::io(dir, source);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
    let mode = fs::metadata(dir).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

/// Creates the database if there is none. It gets its name when it is whole, so a database that
/// is there but empty or foreign is always damage, never a new store.
pub(crate) fn create_if_absent(dir: &Path) -> Result<(), StoreError> {
    let path = database(dir);
    if path.try_exists().map_err(|source| fault::io(&path, source))? {
        return Ok(());
    }
    let log = path.with_extension("db-wal");
    if log.exists() {
        return Err(fault::corrupt(&path, format!("it is missing but {} is there", log.display())));
    }
    let draft = path.with_extension("new");
    remove_if_there(&draft)?;
    private_file(&draft)?;
    let sqlite = |error| fault::sqlite(&draft, &error);
    let connection = connect(&draft).map_err(sqlite)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
    connection.pragma_update(None, "user_version", FORMAT).map_err(sqlite)?;
    connection.execute_batch(TABLES).map_err(sqlite)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    connection.close().map_err(|(_, error)| sqlite(error))?;
    publish(&draft, &path)
}

/// A new empty file that only its owner may read; SQLite's side files take over its mode.
pub(crate) fn private_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| fault::io(path, source))
}

/// Syncs `draft`, gives it its name, and syncs the directory.
pub(crate) fn publish(draft: &Path, path: &Path) -> Result<(), StoreError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(draft).map_err(|source| fault::io(draft, source))?;
    fs::rename(draft, path).map_err(|source| fault::io(path, source))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    sync(parent).map_err(|source| fault::io(parent, source))
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(fault::io(path, source))
        }
        _ => Ok(()),
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn connect_with(path: &Path, access: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Opens the writing connection and checks that the file is what it should be, cheaply.
pub(crate) fn open_writer(
    path: &Path,
    bytes_max: Option<u64>,
) -> Result<(Connection, State), StoreError> {
    check_header(path)?;
    let sqlite = |error| fault::sqlite(path, &error);
    let connection = connect(path).map_err(sqlite)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(sqlite)?;
    if mode != "wal" {
        return Err(fault::corrupt(path, format!("its journal mode is {mode}, not wal")));
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
    if let Some(bytes) = bytes_max {
        let pages = row::int(bytes / PAGE_BYTES).max(1);
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .map_err(sqlite)?;
    }
    let state = check(&connection, path)?;
    Ok((connection, state))
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens a backup, which may lie where nothing can be written.
pub(crate) fn open_backup(path: &Path) -> Result<Connection, Error> {
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// The first 100 bytes say what the file is and how long. SQLite would take an empty file for a new
/// database, and read a last page that is cut short as zeros.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let io = |source| fault::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut header = [0; 100];
    if length < header.len() as u64 {
        return Err(fault::corrupt(path, format!("it has only {length} bytes")));
    }
    file.read_exact(&mut header).map_err(io)?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(fault::corrupt(path, "it does not begin as a SQLite database"));
    }
    // While there is a log, the file may be behind its header.
    let log = path.with_extension("db-wal").metadata().map_or(0, |log| log.len());
    let pages = header.get(28..32).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    let expected = u64::from(pages.unwrap_or(0)) * PAGE_BYTES;
    if log == 0 && length < expected {
        return Err(fault::corrupt(path, format!("it has {length} of {expected} bytes")));
    }
    Ok(())
}

/// The quick check: ours, of a known format, all tables there, revisions that make sense.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<State, StoreError> {
    let sqlite = |error| fault::sqlite(path, &error);
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id").map_err(sqlite)?;
    if id != APPLICATION_ID {
        return Err(fault::corrupt(path, format!("its application id is {id:#x}")));
    }
    let found = number("PRAGMA user_version").map_err(sqlite)?;
    if found > FORMAT {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT });
    }
    if found < 1 {
        return Err(fault::corrupt(path, format!("its format is {found}")));
    }
    let tables = "SELECT count(*) FROM sqlite_schema
                  WHERE name IN ('state', 'log', 'log_key', 'log_lease', 'lease')";
    if number(tables).map_err(sqlite)? != 5 {
        return Err(fault::corrupt(path, "a table is missing"));
    }
    let state = state(connection).map_err(sqlite)?;
    let newest = number("SELECT coalesce(max(id), 0) FROM log").map_err(sqlite)?;
    if state.compacted > state.rev || newest > row::last_id(state.rev) {
        return Err(fault::corrupt(path, format!("revision {} is behind its rows", state.rev)));
    }
    Ok(state)
}

/// Reads where the store stands.
pub(crate) fn state(connection: &Connection) -> Result<State, Error> {
    let mut statement =
        connection.prepare_cached("SELECT rev, compacted FROM state WHERE id = 1")?;
    statement.query_row([], |row| {
        Ok(State { rev: row::rev(row.get(0)?), compacted: row::rev(row.get(1)?) })
    })
}
