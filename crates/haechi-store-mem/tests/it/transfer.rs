//! Rows move from store to store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use haechi_store::archive::Summary;
use haechi_store::transfer::{MARK, TransferError, content, transfer};
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Page, Range, Rev, Store, StoreError, TxnError,
    Watch,
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
    for cut in [0, 1, 2, 7, 9, 10] {
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
async fn a_source_that_has_changed_meanwhile_is_noticed() {
    let from = filled(700).await;
    let to = Failing { inner: empty(), left: AtomicUsize::new(5) };
    assert!(transfer(&from, &to, SKIP).await.is_err());
    from.txn(&[], vec![Op::put("/row/000001", "new")]).await.unwrap();
    to.left.store(usize::MAX, Ordering::SeqCst);
    assert!(matches!(transfer(&from, &to, SKIP).await, Err(TransferError::Changed)));
}
