//! What is on disk: who may read it, what a clean close leaves, that it is all there again.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use haechi_store::{Cond, Op, Options, Rev, Store, StoreError, contract::TestClock};
use haechi_store_sqlite::SqliteStore;

use crate::{open, put, rows, text};

#[tokio::test]
async fn only_the_owner_may_read() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("deep/store");
    let store = open(&dir);
    put(&store, "/a", "v").await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["lock", "store.db", "store.db-shm", "store.db-wal"]);

    drop(store);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    drop(open(&dir));
    assert_eq!(mode(&dir), 0o700, "an open directory is closed again");
}

#[tokio::test]
async fn a_clean_close_leaves_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, "/a", "v").await;
    store.close().await.unwrap();
    assert!(!dir.path().join("store.db-wal").exists());
    fs::copy(dir.path().join("store.db"), dir.path().join("copy.db")).unwrap();
    let other = dir.path().join("other");
    SqliteStore::restore(dir.path().join("copy.db"), &other).unwrap();
    assert_eq!(text(&open(&other), "/a").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let clock = TestClock::default();
    let options = || -> Options { clock.options().with_history(100) };
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), options()).unwrap();
    for number in 0..300 {
        put(&store, "/a", &number.to_string()).await;
    }
    let lease = store.lease(Duration::from_secs(10)).await.unwrap();
    store.txn(&[], vec![Op::put_leased("/l", "v", lease.id)]).await.unwrap();
    let before = rows(&store).await;
    drop(store);

    let store = SqliteStore::open(dir.path(), options()).unwrap();
    assert_eq!(rows(&store).await, before);
    assert_eq!(store.get(&["/a".into()], Some(Rev(250))).await.unwrap().0.len(), 1);
    let old = store.get(&["/a".into()], Some(Rev(10))).await;
    assert!(matches!(old, Err(StoreError::Compacted { .. })), "{old:?}");
    store.txn(&[Cond::Held(lease.id)], vec![]).await.unwrap();
    assert_eq!(put(&store, "/b", "v").await, Rev(303));
    drop(store);

    clock.advance(Duration::from_secs(10));
    let store = SqliteStore::open(dir.path(), options()).unwrap();
    assert_eq!(text(&store, "/l").await, None, "time passed while it was closed");
}

#[tokio::test]
async fn a_half_made_store_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.new"), b"died while creating").unwrap();
    let store = open(dir.path());
    put(&store, "/a", "v").await;
    assert!(!dir.path().join("store.new").exists());
}

#[tokio::test]
async fn the_file_stops_growing_when_rows_are_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let options = TestClock::default().options().with_history(50);
    let store = SqliteStore::open(dir.path(), options).unwrap();
    for _ in 0..600 {
        store.txn(&[], vec![Op::put("/a", vec![7; 4000])]).await.unwrap();
    }
    store.verify().await.unwrap();
    store.close().await.unwrap();
    let bytes = fs::metadata(dir.path().join("store.db")).unwrap().len();
    assert!(bytes < 600 * 4000 / 4, "{bytes} bytes");
}
