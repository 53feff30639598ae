//! One process per data directory: an advisory lock that ends with its process, whatever ends it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use haechi_store::StoreError;

use crate::fault;

/// What a lock file may say about its holder.
const HOLDER_BYTES_MAX: u64 = 256;

/// The lock; free again when it is dropped.
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is just being forked has it open, too.
        // If unlocking fails, closing is what is left.
        drop(self.0.unlock());
    }
}

/// Locks `dir`.
pub(crate) fn acquire(dir: &Path) -> Result<Lock, StoreError> {
    let path = dir.join("lock");
    let io = |source| fault::io(&path, source);
    // Not truncated before the lock is ours: the holder's name must stay readable.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only for the message; the lock decides.
            let known = file.take(HOLDER_BYTES_MAX).read_to_string(&mut holder).is_ok();
            let holder = holder.trim().to_owned();
            let holder =
                if known && !holder.is_empty() { holder } else { "another process".to_owned() };
            return Err(StoreError::InUse { path: dir.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    let mut lock = Lock(file);
    lock.0.set_len(0).map_err(io)?;
    lock.0.rewind().map_err(io)?;
    writeln!(lock.0, "process {} ({})", std::process::id(), program()).map_err(io)?;
    Ok(lock)
}

fn program() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "unknown program".to_owned())
}
