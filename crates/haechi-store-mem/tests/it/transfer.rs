//! Rows move from store to store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use haechi_store::archive::Summary;
use haechi_store::transfer::{MARK, Transfer, TransferError, content, transfer};
use haechi_store::{
    Cond, Gate, Key, Kv, Lease, LeaseId, Op, Options, Page, Range, Rev, Store, StoreError,
    TxnError, Watch,
};
use haechi_store_mem::MemStore;

fn empty() -> MemStore {
    MemStore::new(Options::new(|| Duration::ZERO))
}

async fn filled(rows: usize) -> MemStore {
    let store = empty();
    for row in 0..rows {
        let value = vec![u8::try_from(row % 251).unwrap(); row % 40_000];
        let put = Op::put(format!("/row/{row:06}"), value);
        store.txn(&[], vec![put]).await.unwrap();
    }
    let lease = store.lease(Duration::from_secs(5)).await.unwrap().id;
    let claims = vec![Op::put_leased("/claim", "mine", lease), Op::put("/cluster/format", "1")];
    store.txn(&[], claims).await.unwrap();
    store
}

/// Fails after some transactions.
struct Failing {
    inner: MemStore,
    left: AtomicUsize,
}

#[async_trait::async_trait]
impl Store for Failing {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        self.inner.get(keys, at).await
    }
    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        self.inner.range(range, limit, at).await
    }
    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map_err(|_| StoreError::Closed)?;
        self.inner.txn(when, then).await
    }
    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        self.inner.watch(prefix, from)
    }
    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.inner.lease(ttl).await
    }
    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.inner.keep_alive(lease).await
    }
    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.inner.revoke(lease).await
    }
    async fn expire(&self) -> Result<(), StoreError> {
        self.inner.expire().await
    }
    async fn export(&self, writer: Box<dyn std::io::Write + Send>) -> Result<Summary, StoreError> {
        self.inner.export(writer).await
    }
    async fn import(&self, reader: Box<dyn std::io::Read + Send>) -> Result<Summary, StoreError> {
        self.inner.import(reader).await
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

const SKIP: &[&str] = &["/cluster/"];

#[tokio::test]
async fn everything_but_claims_moves_and_is_the_same() {
    let (from, to) = (filled(1200).await, empty());
    let done = transfer(&from, &to, SKIP).await.unwrap();
    assert_eq!((done.content.count, done.written), (1200, 1200));
    assert_eq!(content(&to, &[]).await.unwrap(), content(&from, SKIP).await.unwrap());
    let (mark, _) = to.get(&[Key::from(MARK), Key::from("/claim")], None).await.unwrap();
    assert_eq!(mark, [None, None]);
}

#[tokio::test]
async fn one_that_was_cut_off_anywhere_goes_on_where_it_was() {
    let from = filled(700).await;
    for cut in [0, 1, 2, 7, 8, 9] {
        let to = Failing { inner: empty(), left: AtomicUsize::new(cut) };
        assert!(matches!(transfer(&from, &to, SKIP).await, Err(TransferError::Store(_))));
        to.left.store(usize::MAX, Ordering::SeqCst);
        let done = transfer(&from, &to, SKIP).await.unwrap();
        assert_eq!(done.written < 700, cut > 1, "{cut}: {}", done.written);
        assert_eq!(content(&to, &[]).await.unwrap(), done.content);
    }
}

#[tokio::test]
async fn a_target_that_holds_anything_else_is_refused_and_left_as_it_is() {
    let (from, to) = (filled(3).await, empty());
    to.txn(&[], vec![Op::put("/mine", "1")]).await.unwrap();
    let before = content(&to, &[]).await.unwrap();
    let refused = transfer(&from, &to, SKIP).await;
    assert!(matches!(refused, Err(TransferError::NotEmpty { .. })));
    assert_eq!(content(&to, &[]).await.unwrap(), before);
}

#[tokio::test]
async fn what_changed_in_the_source_after_a_cut_is_written_removed_and_added() {
    let from = filled(700).await;
    let to = Failing { inner: empty(), left: AtomicUsize::new(5) };
    assert!(transfer(&from, &to, SKIP).await.is_err());
    let changes = vec![
        Op::put("/row/000001", "new"),
        Op::delete("/row/000002"),
        Op::put("/row/000002-more", "1"),
        Op::put("/zzz", "last"),
    ];
    from.txn(&[], changes).await.unwrap();
    to.left.store(usize::MAX, Ordering::SeqCst);
    let done = transfer(&from, &to, SKIP).await.unwrap();
    assert_eq!(done.content.count, 701);
    assert_eq!(content(&to, &[]).await.unwrap(), content(&from, SKIP).await.unwrap());
}

#[tokio::test]
async fn passes_catch_up_with_a_source_that_is_written_to_and_the_last_is_verified() {
    let (from, to) = (filled(700).await, empty());
    let mut transfer = Transfer::begin(&from, &to, SKIP).await.unwrap();
    assert_eq!(transfer.pass().await.unwrap(), 700);
    assert_eq!(transfer.pass().await.unwrap(), 0);
    from.txn(&[], vec![Op::put("/row/000007", "new"), Op::delete("/row/000008")]).await.unwrap();
    assert_eq!(transfer.pass().await.unwrap(), 2);
    from.txn(&[], vec![Op::put("/row/000009", "too late")]).await.unwrap();
    let refused = transfer.finish().await;
    assert!(matches!(refused, Err(TransferError::Differs(_))));
    let mut transfer = Transfer::begin(&from, &to, SKIP).await.unwrap();
    assert_eq!(transfer.pass().await.unwrap(), 1);
    assert_eq!(transfer.finish().await.unwrap().count, 699);
}

#[tokio::test]
async fn what_another_source_has_begun_is_left_alone() {
    let to = Failing { inner: empty(), left: AtomicUsize::new(2) };
    assert!(transfer(&filled(700).await, &to, SKIP).await.is_err());
    to.left.store(usize::MAX, Ordering::SeqCst);
    let refused = transfer(&filled(3).await, &to, SKIP).await;
    assert!(matches!(refused, Err(TransferError::Foreign)));
}

#[tokio::test]
async fn a_gate_that_is_shut_refuses_writes_only_and_waits_for_those_under_way() {
    let gate = Gate::new(Arc::new(empty()));
    gate.txn(&[], vec![Op::put("/a", "1")]).await.unwrap();
    gate.shut().await;
    let refused = gate.txn(&[], vec![Op::put("/a", "2")]).await;
    assert!(matches!(refused, Err(TxnError::Store(StoreError::Unavailable { .. }))));
    assert!(gate.lease(Duration::from_secs(1)).await.is_err());
    let (rows, _) = gate.get(&[Key::from("/a")], None).await.unwrap();
    assert_eq!(rows[0].as_ref().unwrap().value.as_bytes(), b"1");
    gate.open().await;
    gate.txn(&[], vec![Op::put("/a", "3")]).await.unwrap();
}
