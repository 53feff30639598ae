//! One process at a time.

use std::io::{BufRead, BufReader};

use haechi_store::{Store, StoreError};
use haechi_store_sqlite::SqliteStore;

use crate::{child, child_dir, open, options, put, text};

/// The child of the test below.
#[tokio::test]
#[ignore = "the child process of another test"]
async fn holds_the_directory() {
    let Some(dir) = child_dir() else { return };
    let store = open(&dir);
    put(&store, "/held", "by the child").await;
    println!("HELD");
    std::thread::sleep(std::time::Duration::from_secs(600));
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_who_holds_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = child("lock::holds_the_directory", dir.path()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line.contains("HELD")));
    let refused = SqliteStore::open(dir.path(), options()).err();
    child.kill().unwrap();
    child.wait().unwrap();
    let Some(StoreError::InUse { path, holder }) = refused else { panic!("{refused:?}") };
    assert_eq!(path, dir.path());
    assert!(holder.contains(&format!("process {}", child.id())), "{holder}");
    let store = open(dir.path());
    assert_eq!(text(&store, "/held").await.as_deref(), Some("by the child"), "kill -9 frees it");
}

#[tokio::test]
async fn closing_or_dropping_frees_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let closed = open(dir.path());
    let again = SqliteStore::open(dir.path(), options()).err().unwrap();
    assert!(matches!(again, StoreError::InUse { .. }), "{again:?}");
    put(&closed, "/a", "v").await;
    closed.close().await.unwrap();
    let dropped = open(dir.path());
    let watch = dropped.watch("/".into(), haechi_store::Rev::ZERO);
    drop(dropped);
    let store = open(dir.path());
    assert_eq!(text(&store, "/a").await.as_deref(), Some("v"), "an open watch holds nothing back");
    drop(watch);
}
