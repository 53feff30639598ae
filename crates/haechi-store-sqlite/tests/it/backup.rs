//! Backups by file, and moves between engines.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, sync::Arc};

use haechi_store::{Op, Range, Store, StoreError};
use haechi_store_mem::MemStore;
use haechi_store_sqlite::SqliteStore;

use crate::{open, options, put, rows, text};

#[tokio::test]
async fn a_backup_taken_while_others_write_restores_to_one_revision() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&dir.path().join("store")));
    let pair = |number: usize| {
        let text = number.to_string();
        vec![Op::put("/x", text.as_str()), Op::put("/y", text.as_str())]
    };
    store.txn(&[], pair(0)).await.unwrap();
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 1..200 {
                store.txn(&[], pair(number)).await.unwrap();
            }
        }
    });
    let mut copies = Vec::new();
    for number in 0..5 {
        let file = dir.path().join(format!("backup-{number}"));
        store.backup_to(&file).await.unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        copies.push(file);
    }
    writer.await.unwrap();
    for (number, file) in copies.iter().enumerate() {
        let target = dir.path().join(format!("restored-{number}"));
        SqliteStore::restore(file, &target).unwrap();
        let restored = open(&target);
        assert_eq!(text(&restored, "/x").await, text(&restored, "/y").await);
        restored.verify().await.unwrap();
        put(&restored, "/x", "writable").await;
    }
}

#[tokio::test]
async fn neither_backup_nor_restore_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = (dir.path().join("store"), dir.path().join("backup"));
    let store = open(&home);
    put(&store, "/a", "old").await;
    store.backup_to(&file).await.unwrap();
    put(&store, "/a", "new").await;
    let again = store.backup_to(&file).await.unwrap_err();
    assert!(matches!(again, StoreError::Io { .. }), "{again:?}");
    let busy = SqliteStore::restore(&file, &home).unwrap_err();
    assert!(matches!(busy, StoreError::InUse { .. }), "{busy:?}");
    drop(store);
    let there = SqliteStore::restore(&file, &home).unwrap_err();
    assert!(matches!(there, StoreError::Io { .. }), "{there:?}");
    assert_eq!(text(&open(&home), "/a").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_leaves_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let (home, file) = (dir.path().join("store"), dir.path().join("backup"));
    let store = open(&home);
    store.txn(&[], vec![Op::put("/a", vec![9; 3000])]).await.unwrap();
    store.backup_to(&file).await.unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(100).position(|window| window == [9; 100]).unwrap();
    bytes[at] ^= 1;
    fs::write(&file, &bytes).unwrap();
    for length in [bytes.len(), bytes.len() - 4096, 10, 0] {
        fs::write(&file, &bytes[..length]).unwrap();
        let target = dir.path().join(format!("restored-{length}"));
        let error = SqliteStore::restore(&file, &target).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{length}: {error:?}");
        assert!(!target.join("store.db").exists());
    }
    let missing = SqliteStore::restore(dir.path().join("none"), dir.path().join("r"));
    assert!(matches!(missing, Err(StoreError::Io { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_store_moves_between_engines_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&dir.path().join("first"));
    for number in 0..50 {
        put(&first, &format!("/row/{}", number % 20), &number.to_string()).await;
    }
    let export = async |store: &dyn Store| {
        let (mut reader, file) = tempfile::NamedTempFile::new().unwrap().into_parts();
        let mut copy = reader.try_clone().unwrap();
        copy.flush().unwrap();
        let summary = store.export(Box::new(copy)).await.unwrap();
        std::io::Seek::rewind(&mut reader).unwrap();
        drop(file);
        (reader, summary)
    };
    let memory = MemStore::new(options());
    let (archive, exported) = export(&first).await;
    assert_eq!(memory.import(Box::new(archive)).await.unwrap(), exported);
    let last = open(&dir.path().join("last"));
    let (archive, again) = export(&memory).await;
    assert_eq!(again, exported, "byte for byte the same");
    assert_eq!(last.import(Box::new(archive)).await.unwrap(), exported);
    assert_eq!(rows(&last).await, rows(&first).await);
    assert_eq!(memory.range(Range::all(), 0, None).await.unwrap().kvs, rows(&first).await);
    last.verify().await.unwrap();
}
