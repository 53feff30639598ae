//! A full disk or quota: a clear error, nothing half-written, reads go on, and so do writes when
//! there is space again.

use haechi_store::{Op, Rev, Store, StoreError, TxnError};
use haechi_store_sqlite::{Settings, SqliteStore};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{child, child_dir, open, options, put, rows, text};

const ROW_BYTES: usize = 64 * 1024;

/// Writes until the store is full; returns how many rows it took.
async fn fill(store: &SqliteStore) -> usize {
    for number in 0..10_000 {
        let ops = vec![
            Op::put(format!("/fill/{number:05}"), vec![number as u8; ROW_BYTES]),
            Op::put("/count", (number + 1).to_string().into_bytes()),
        ];
        match store.txn(&[], ops).await {
            Ok(_) => {}
            Err(TxnError::Store(StoreError::DiskFull { path })) => {
                assert!(path.ends_with("store.db"), "{path:?}");
                return number;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("never full");
}

async fn assert_holds(store: &SqliteStore, count: usize) {
    assert_eq!(text(store, "/count").await, Some(count.to_string()));
    let rows = rows(store).await;
    assert_eq!(rows.len(), count + 1);
    assert!(rows.iter().skip(1).all(|kv| kv.value.as_bytes().len() == ROW_BYTES));
}

#[tokio::test]
async fn beyond_its_quota_a_store_reads_and_resumes_with_a_larger_one() {
    let dir = tempfile::tempdir().unwrap();
    let settings = |bytes| Settings { bytes_max: Some(bytes), ..options().into() };
    let store = SqliteStore::open(dir.path(), settings(2 << 20)).unwrap();
    let count = fill(&store).await;
    assert!(count > 10);
    assert_holds(&store, count).await;
    assert_eq!(put(&store, "/count", &count.to_string()).await, Rev(count as u64 + 1));
    drop(store);
    let store = SqliteStore::open(dir.path(), settings(4 << 20)).unwrap();
    assert_holds(&store, count).await;
    assert!(fill(&store).await > count, "it begins anew and gets further");
}

/// One that does not fit must not take the others of its group with it.
#[tokio::test]
async fn what_fits_is_written_beside_what_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { bytes_max: Some(2 << 20), ..options().into() };
    let store = std::sync::Arc::new(SqliteStore::open(dir.path(), settings).unwrap());
    fill(&store).await;
    let tasks: Vec<_> = (0..32)
        .map(|number: usize| {
            let store = store.clone();
            tokio::spawn(async move {
                if number.is_multiple_of(4) {
                    let ops = vec![Op::put("/big", vec![1; 512 * 1024])];
                    let answer = store.txn(&[], ops).await;
                    let full = matches!(answer, Err(TxnError::Store(StoreError::DiskFull { .. })));
                    assert!(full, "{answer:?}");
                } else {
                    put(&store, "/small", "v").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let small = rows(&store).await.into_iter().find(|kv| kv.key == "/small".into());
    assert_eq!(small.unwrap().version, 24);
}

/// The child of the test below; its files may not grow beyond the soft limit, which it then lifts.
#[tokio::test]
#[ignore = "the child process of another test"]
async fn fills_its_file_size_limit() {
    let Some(dir) = child_dir() else { return };
    let store = open(&dir);
    let count = fill(&store).await;
    assert!(count > 10);
    for _ in 0..3 {
        let answer = store.txn(&[], vec![Op::put("/big", vec![1; ROW_BYTES * 4])]).await;
        assert!(matches!(answer, Err(TxnError::Store(StoreError::DiskFull { .. }))), "{answer:?}");
    }
    assert_holds(&store, count).await;
    let limit = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: limit.maximum, ..limit }).unwrap();
    put(&store, "/after", "space is back").await;
    store.verify().await.unwrap();
    store.close().await.unwrap();
    println!("FILLED {count}");
}

#[tokio::test]
async fn on_a_full_disk_a_store_reads_and_resumes_when_space_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let inner = child("disk_full::fills_its_file_size_limit", dir.path());
    // A shell, because an ignored SIGXFSZ and a limit are inherited; ulimit counts 512 bytes.
    let mut shell = std::process::Command::new("sh");
    let output = shell
        .args(["-c", "trap '' XFSZ; ulimit -S -f 6000; exec \"$0\" \"$@\""])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env("HAECHI_TEST_DIR", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let count = said.lines().find_map(|line| line.split_once("FILLED ")).unwrap().1;
    let store = open(dir.path());
    assert_eq!(text(&store, "/count").await.as_deref(), Some(count));
    assert_eq!(text(&store, "/after").await.as_deref(), Some("space is back"));
}
