//! Export and import: whole or not at all.

use std::{
    io::{self, Cursor, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Kind, Open, delete, put, rev, row, still, text};
use crate::archive::Summary;
use crate::{Cond, Kv, Op, Range, Rev, Store, StoreError};

/// A writer whose bytes can be read after the store has consumed it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn export(store: &dyn Store) -> (Vec<u8>, Summary) {
    let shared = Shared::default();
    let summary = store.export(Box::new(shared.clone())).await.unwrap();
    let bytes = shared.0.lock().unwrap().clone();
    (bytes, summary)
}

async fn import(store: &dyn Store, bytes: &[u8]) -> Result<Summary, StoreError> {
    store.import(Box::new(Cursor::new(bytes.to_vec()))).await
}

async fn rows(store: &dyn Store) -> Vec<Kv> {
    store.range(Range::all(), 0, None).await.unwrap().kvs
}

/// `rows` as they are after an import from an export at `rev`.
fn imported(kind: Kind, rows: Vec<Kv>, rev: Rev) -> Vec<Kv> {
    let as_written = |kv: Kv| match kind {
        Kind::Embedded => kv,
        Kind::Distributed => Kv { create_rev: rev, mod_rev: rev, version: 1, ..kv },
    };
    rows.into_iter().map(as_written).collect()
}

async fn sample(open: &Open) -> Arc<dyn Store> {
    let store = open(still());
    put(&*store, "/a", "1").await;
    put(&*store, "/b", "").await;
    put(&*store, "/a", "2").await;
    store.txn(&[], vec![Op::put(vec![0xff, 0x00], vec![0; 300])]).await.unwrap();
    put(&*store, "/gone", "v").await;
    delete(&*store, "/gone").await;
    store
}

/// Rows survive, in an embedded engine their revisions and versions too; what is exported from the
/// copy is byte for byte the same, at once or from a copy of the copy.
pub async fn an_export_imports_to_the_same_rows(open: &Open, kind: Kind) {
    let store = sample(open).await;
    let (bytes, exported) = export(&*store).await;
    assert_eq!((exported.rev, exported.count), (Rev(6), 3));
    let copy = open(still());
    assert_eq!(import(&*copy, &bytes).await.unwrap(), exported);
    let expected = imported(kind, rows(&*store).await, exported.rev);
    assert_eq!(rows(&*copy).await, expected);
    let (again, second) = export(&*copy).await;
    assert_eq!((second.rev, second.count), (exported.rev, exported.count));
    assert!(kind == Kind::Distributed || again == bytes);
    let copy_of_copy = open(still());
    import(&*copy_of_copy, &again).await.unwrap();
    assert_eq!(export(&*copy_of_copy).await, (again, second));

    let (nothing, summary) = export(&*open(still())).await;
    assert_eq!((summary.rev, summary.count), (Rev::ZERO, 0));
    let empty = open(still());
    import(&*empty, &nothing).await.unwrap();
    assert_eq!(put(&*empty, "/a", "v").await, Rev(1));
}

/// The next commit follows the export's revision; before it nothing is readable or watchable.
pub async fn an_import_goes_on_from_the_exported_revision(open: &Open, kind: Kind) {
    let (bytes, _) = export(&*sample(open).await).await;
    let copy = open(still());
    import(&*copy, &bytes).await.unwrap();
    assert_eq!(rev(&*copy).await, Rev(6));
    assert_eq!(text(&*copy, "/a", Some(Rev(6))).await.as_deref(), Some("2"));
    let kv = row(&*copy, "/a").await.unwrap();
    for (cond, holds) in [
        (Cond::ModRev("/a".into(), kv.mod_rev), true),
        (Cond::CreateRev("/a".into(), kv.create_rev), true),
        (Cond::ModRev("/none".into(), kv.mod_rev), false),
        (Cond::ModRev("/a".into(), Rev(2)), false),
    ] {
        assert_eq!(copy.txn(std::slice::from_ref(&cond), vec![]).await.is_ok(), holds, "{cond:?}");
    }
    let answer = copy.get(&["/a".into()], Some(Rev(5))).await;
    assert!(matches!(answer, Err(StoreError::Compacted { .. })), "{answer:?}");
    assert_eq!(put(&*copy, "/a", "3").await, Rev(7));
    let kv = row(&*copy, "/a").await.unwrap();
    let expected = match kind {
        Kind::Embedded => (Rev(1), 3),
        Kind::Distributed => (Rev(6), 2),
    };
    assert_eq!((kv.create_rev, kv.version), expected);
    let lease = copy.lease(Duration::from_secs(1)).await.unwrap();
    assert!(lease.token() > Rev(7));
}

/// A writer that, at its first byte, has another task write to the store.
struct Meddling(Shared, Option<std::sync::mpsc::Sender<()>>, std::sync::mpsc::Receiver<()>);

impl Write for Meddling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.take().is_some_and(|begin| begin.send(()).is_ok()) {
            self.2.recv().map_err(io::Error::other)?;
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written during an export is not in it, and the export does not block the writer.
pub async fn an_export_reads_one_revision_while_others_write(open: &Open, kind: Kind) {
    let store = sample(open).await;
    let before = rows(&*store).await;
    let (begin, begun) = std::sync::mpsc::channel();
    let (wrote, written) = std::sync::mpsc::channel();
    let meddler = tokio::task::spawn_blocking({
        let (store, runtime) = (store.clone(), tokio::runtime::Handle::current());
        move || {
            begun.recv().unwrap();
            runtime.block_on(async {
                put(&*store, "/a", "later").await;
                put(&*store, "/later", "later").await;
            });
            wrote.send(()).unwrap();
        }
    });
    let shared = Shared::default();
    let writer = Meddling(shared.clone(), Some(begin), written);
    let summary = store.export(Box::new(writer)).await.unwrap();
    meddler.await.unwrap();
    assert_eq!(summary.rev, Rev(6));
    let copy = open(still());
    let bytes = shared.0.lock().unwrap().clone();
    import(&*copy, &bytes).await.unwrap();
    assert_eq!(rows(&*copy).await, imported(kind, before, summary.rev));
    assert_eq!(text(&*store, "/a", None).await.as_deref(), Some("later"));
}

/// A claim does not outlive its holder.
pub async fn leased_rows_are_not_exported(open: &Open, _: Kind) {
    let store = sample(open).await;
    let lease = store.lease(Duration::from_secs(1)).await.unwrap();
    store.txn(&[], vec![Op::put_leased("/leader", "v", lease.id)]).await.unwrap();
    let (bytes, summary) = export(&*store).await;
    assert_eq!(summary.count, 3);
    let copy = open(still());
    import(&*copy, &bytes).await.unwrap();
    assert!(row(&*copy, "/leader").await.is_none());
}

async fn refused(store: &dyn Store, bytes: &[u8], what: &str) {
    let answer = import(store, bytes).await;
    assert!(matches!(answer, Err(StoreError::Archive { .. })), "{what}: {answer:?}");
    assert_eq!(rev(store).await, Rev::ZERO, "{what}");
    assert!(rows(store).await.is_empty(), "{what}");
}

/// Cut anywhere, or with something behind the end.
pub async fn every_truncation_is_refused_and_changes_nothing(open: &Open, _: Kind) {
    let (bytes, _) = export(&*sample(open).await).await;
    let store = open(still());
    for length in 0..bytes.len() {
        refused(&*store, &bytes[..length], &format!("cut to {length} bytes")).await;
    }
    refused(&*store, &[&bytes[..], b"\0"].concat(), "with a byte behind").await;
    import(&*store, &bytes).await.unwrap();
}

/// One bit wrong anywhere.
pub async fn every_flipped_byte_is_refused_and_changes_nothing(open: &Open, _: Kind) {
    let (bytes, _) = export(&*sample(open).await).await;
    let store = open(still());
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        refused(&*store, &damaged, &format!("byte {position} flipped")).await;
    }
    import(&*store, &bytes).await.unwrap();
}

/// Importing over data would mix two histories.
pub async fn a_used_store_refuses_an_import(open: &Open, _: Kind) {
    let store = sample(open).await;
    let (bytes, _) = export(&*store).await;
    let answer = import(&*store, &bytes).await;
    assert!(matches!(answer, Err(StoreError::NotEmpty { rev: Rev(6) })), "{answer:?}");
    let emptied = open(still());
    put(&*emptied, "/a", "v").await;
    delete(&*emptied, "/a").await;
    let answer = import(&*emptied, &bytes).await;
    assert!(matches!(answer, Err(StoreError::NotEmpty { rev: Rev(2) })), "{answer:?}");
}

/// Fails as a full disk does.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An export that could not be written is an error, and the store goes on.
pub async fn a_failing_writer_fails_the_export(open: &Open, _: Kind) {
    let store = sample(open).await;
    let answer = store.export(Box::new(Full)).await;
    assert!(matches!(answer, Err(StoreError::DiskFull { .. })), "{answer:?}");
    assert_eq!(put(&*store, "/a", "v").await, Rev(7));
}
