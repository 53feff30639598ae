//! Damaged files: a clear error that names the file, never other data than was written, and the
//! file is left as it is.

use std::{fs, path::Path};

use haechi_store::{Kv, Op, Store, StoreError};
use haechi_store_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::{open, options, put, rows};

/// A closed store with 40 rows, its file, and the rows.
async fn sample() -> (TempDir, Vec<u8>, Vec<Kv>) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for number in 0..40 {
        let value = vec![number as u8; 400];
        store.txn(&[], vec![Op::put(format!("/row/{number:02}"), value)]).await.unwrap();
    }
    let rows = rows(&store).await;
    store.close().await.unwrap();
    drop(store);
    let bytes = fs::read(dir.path().join("store.db")).unwrap();
    (dir, bytes, rows)
}

fn corrupt(dir: &Path, bytes: &[u8]) -> StoreError {
    let file = dir.join("store.db");
    fs::write(&file, bytes).unwrap();
    let error = SqliteStore::open(dir, options()).err().expect("a damaged file was opened");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert_eq!(fs::read(&file).unwrap(), bytes, "the file was changed");
    error
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let (dir, bytes, _) = sample().await;
    let mut foreign = bytes.clone();
    foreign[68..72].copy_from_slice(&[0; 4]);
    let zeros = vec![0; bytes.len()];
    for damaged in [
        &[][..],
        &bytes[..50],
        b"not a database at all, but long enough: \
        .................................................................",
        &zeros,
        &foreign,
    ] {
        let error = corrupt(dir.path(), damaged);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        assert!(error.to_string().contains("restore from a backup"), "{error}");
    }
}

#[tokio::test]
async fn a_truncated_file_is_refused_at_every_page() {
    let (dir, bytes, _) = sample().await;
    for pages in 1..bytes.len() / 4096 {
        for length in [pages * 4096, pages * 4096 + 100] {
            let error = corrupt(dir.path(), &bytes[..length]);
            assert!(matches!(error, StoreError::Corrupt { .. }), "{length}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_newer_format_asks_for_a_newer_program() {
    let (dir, mut bytes, _) = sample().await;
    bytes[60..64].copy_from_slice(&9_i32.to_be_bytes());
    let error = corrupt(dir.path(), &bytes);
    assert!(matches!(error, StoreError::Newer { found: 9, known: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_database_beside_its_log_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.db-wal"), b"log").unwrap();
    let error = SqliteStore::open(dir.path(), options()).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(!dir.path().join("store.db").exists());
}

/// Bits flipped all over the file: what is read is what was written, or an error; and the deep
/// check finds whatever a read would show.
#[tokio::test]
async fn a_flipped_byte_never_becomes_data() {
    let (dir, bytes, expected) = sample().await;
    let (mut refused, mut found, mut harmless) = (0, 0, 0);
    for position in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        fs::write(dir.path().join("store.db"), &damaged).unwrap();
        let store = match SqliteStore::open(dir.path(), options()) {
            Ok(store) => store,
            Err(
                StoreError::Corrupt { .. } | StoreError::Newer { .. } | StoreError::Engine { .. },
            ) => {
                refused += 1;
                continue;
            }
            Err(other) => panic!("byte {position}: {other:?}"),
        };
        let verified = store.verify().await;
        let read = store.range(haechi_store::Range::all(), 0, None).await;
        match (&verified, &read) {
            (Ok(()), Ok(page)) => {
                assert_eq!(page.kvs, expected, "byte {position}");
                harmless += 1;
            }
            (Err(StoreError::Corrupt { .. }), Ok(page)) => {
                assert!(page.kvs.iter().all(|kv| expected.contains(kv)), "byte {position}");
                found += 1;
            }
            (Err(StoreError::Corrupt { .. }), Err(StoreError::Corrupt { .. })) => found += 1,
            other => panic!("byte {position}: {other:?}"),
        }
    }
    assert!(refused > 0 && found > 100, "{refused} refused, {found} found, {harmless} harmless");
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_the_others_are_readable() {
    let (dir, mut bytes, expected) = sample().await;
    let value = expected[7].value.as_bytes();
    // Also the copies that SQLite left in unused space when it split a page.
    for at in 0..bytes.len() - value.len() {
        if bytes[at..at + value.len()] == *value {
            bytes[at + 100] ^= 1;
        }
    }
    fs::write(dir.path().join("store.db"), &bytes).unwrap();
    let store = open(dir.path());
    for kv in &expected {
        let answer = store.get(std::slice::from_ref(&kv.key), None).await;
        if kv.key == expected[7].key {
            assert!(matches!(answer, Err(StoreError::Corrupt { .. })), "{answer:?}");
        } else {
            assert_eq!(answer.unwrap().0, [Some(kv.clone())]);
        }
    }
    let error = store.verify().await.unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    let target = dir.path().join("backup.db");
    let error = store.backup_to(&target).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(!target.exists(), "a damaged backup was kept");
    put(&store, "/row/99", "still writable").await;
}
