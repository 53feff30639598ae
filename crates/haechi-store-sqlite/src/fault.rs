//! What SQLite's and the system's errors mean to a caller.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind, Seek, SeekFrom, Write},
    path::Path,
};

use haechi_store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// An error of the file system.
pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
    if is_full(&source) {
        StoreError::DiskFull { path: path.to_owned() }
    } else {
        StoreError::Io { path: path.to_owned(), source }
    }
}

/// Damage that we found ourselves.
pub(crate) fn corrupt(path: &Path, detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { path: path.to_owned(), detail: detail.into() }
}

/// An error of SQLite on the database `path`.
pub(crate) fn sqlite(path: &Path, error: &Error) -> StoreError {
    let detail = error.to_string();
    let failure = match error {
        Error::SqliteFailure(failure, _) => failure,
        // A column that is not what the schema says.
        Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::QueryReturnedNoRows => return corrupt(path, detail),
        _ => return StoreError::Engine { path: path.to_owned(), detail },
    };
    match (failure.code, failure.extended_code) {
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)
        | (_, ffi::SQLITE_IOERR_SHORT_READ) => corrupt(path, detail),
        (ErrorCode::DiskFull, _) => StoreError::DiskFull { path: path.to_owned() },
        // SQLite calls only ENOSPC "full"; quotas and size limits end here.
        (_, ffi::SQLITE_IOERR_WRITE) if probe_is_full(path) => {
            StoreError::DiskFull { path: path.to_owned() }
        }
        (_, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => {
            StoreError::OutcomeUnknown { path: path.to_owned(), detail }
        }
        _ => StoreError::Engine { path: path.to_owned(), detail },
    }
}

/// Whether a file as long as the database's cannot grow: one block behind a hole of that size.
fn probe_is_full(path: &Path) -> bool {
    let length = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    let wal = path.with_extension("db-wal");
    let end = length(path).max(length(&wal));
    let probe = path.with_extension("probe");
    let outcome = OpenOptions::new().write(true).create(true).truncate(true).open(&probe).and_then(
        |mut file| {
            file.seek(SeekFrom::Start(end))?;
            file.write_all(&[0; 8192])?;
            file.sync_all()
        },
    );
    // What is left of the probe is empty or one block; the next probe replaces it.
    drop(std::fs::remove_file(&probe));
    outcome.is_err_and(|error| is_full(&error))
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}
