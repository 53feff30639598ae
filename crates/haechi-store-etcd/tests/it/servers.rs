//! Servers that tests take turns with: the contract counts revisions, so no two tests may write to
//! the same etcd at once, and starting one for each store would take too long.

use std::{
    collections::HashMap,
    io::{Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use haechi_conformance::etcd::{Cluster, Setup};
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Page, Range, Rev, Store, StoreError, TxnError,
    Watch, archive::Summary,
};
use haechi_store_etcd::{EtcdStore, Settings};

static IDLE: Mutex<Option<HashMap<usize, Vec<Cluster>>>> = Mutex::new(None);
static STORES: AtomicUsize = AtomicUsize::new(0);

/// A store on a cluster that nobody else uses meanwhile.
struct Alone {
    store: EtcdStore,
    cluster: Option<Cluster>,
    /// A lease that ends later would take a revision of whoever is there then.
    leased: AtomicBool,
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(cluster) = self.cluster.take()
            && !*self.leased.get_mut()
        {
            let mut idle = IDLE.lock().unwrap();
            idle.get_or_insert_default().entry(cluster.size()).or_default().push(cluster);
        }
    }
}

/// A new, empty store on a cluster of so many members.
pub fn open(members: usize, options: Options) -> Arc<dyn Store> {
    let idle = IDLE.lock().unwrap().get_or_insert_default().entry(members).or_default().pop();
    let cluster = idle.unwrap_or_else(|| Setup::members(members).start());
    let mut settings = Settings::new(cluster.endpoints(), options);
    settings.prefix = format!("store-{}", STORES.fetch_add(1, Ordering::Relaxed));
    // Others' stores were here before, and their history is nobody's.
    settings.compact_every = None;
    // The machine may be busy with everything else.
    settings.attempt_timeout = Duration::from_secs(10);
    settings.request_timeout = Duration::from_secs(60);
    let store = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(EtcdStore::open(settings)).unwrap()
    });
    Arc::new(Alone { store, cluster: Some(cluster), leased: AtomicBool::new(false) })
}

#[async_trait]
impl Store for Alone {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        self.store.get(keys, at).await
    }

    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        self.store.range(range, limit, at).await
    }

    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        self.store.txn(when, then).await
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        self.store.watch(prefix, from)
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.leased.store(true, Ordering::SeqCst);
        self.store.lease(ttl).await
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.keep_alive(lease).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease).await
    }

    async fn expire(&self) -> Result<(), StoreError> {
        self.store.expire().await
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        self.store.export(writer).await
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        self.store.import(reader).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
