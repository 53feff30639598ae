//! The embedded engine keeps the contract, and survives what happens to processes and files.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod backup;
mod contract;
mod corrupt;
mod crash;
mod disk_full;
mod files;
mod lock;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use haechi_store::{Key, Kv, Op, Options, Range, Rev, Store};
use haechi_store_sqlite::SqliteStore;

/// Leases play no part here, so the clock stands still.
fn options() -> Options {
    Options::new(|| Duration::from_secs(1))
}

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, options()).unwrap()
}

async fn put(store: &SqliteStore, key: &str, value: &str) -> Rev {
    store.txn(&[], vec![Op::put(key, value)]).await.unwrap()
}

async fn text(store: &SqliteStore, key: &str) -> Option<String> {
    let kv = store.get(&[Key::from(key)], None).await.unwrap().0.remove(0)?;
    Some(String::from_utf8(kv.value.as_bytes().to_vec()).unwrap())
}

async fn rows(store: &SqliteStore) -> Vec<Kv> {
    store.range(Range::all(), 0, None).await.unwrap().kvs
}

/// Runs the ignored test `name` of this binary in a process of its own, in `dir`.
fn child(name: &str, dir: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
        .env("HAECHI_TEST_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

/// The directory that the parent chose; `None` in a run of all ignored tests.
fn child_dir() -> Option<std::path::PathBuf> {
    std::env::var_os("HAECHI_TEST_DIR").map(Into::into)
}
