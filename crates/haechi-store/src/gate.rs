//! A store whose writes can be stopped for a moment: while its records move elsewhere.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::archive::Summary;
use crate::{
    Cond, Key, Kv, Lease, LeaseId, Op, Page, Range, Rev, Store, StoreError, TxnError, Watch,
};

/// A gate before the writes of a store; open at first.
pub struct Gate {
    inner: Arc<dyn Store>,
    is_open: RwLock<bool>,
}

impl Gate {
    /// Before a store.
    pub fn new(inner: Arc<dyn Store>) -> Gate {
        Gate { inner, is_open: RwLock::new(true) }
    }

    /// The store, past the gate.
    pub fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }

    /// Refuses writes from now on; returns when those under way have ended.
    pub async fn shut(&self) {
        *self.is_open.write().await = false;
    }

    /// Lets writes through again.
    pub async fn open(&self) {
        *self.is_open.write().await = true;
    }

    /// Held while something is written.
    async fn pass(&self) -> Result<RwLockReadGuard<'_, bool>, StoreError> {
        let is_open = self.is_open.read().await;
        if *is_open {
            return Ok(is_open);
        }
        Err(StoreError::Unavailable {
            endpoint: "the data directory".to_owned(),
            detail: "its records are being moved".to_owned(),
        })
    }
}

#[async_trait]
impl Store for Gate {
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
        let _passing = self.pass().await?;
        self.inner.txn(when, then).await
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        self.inner.watch(prefix, from)
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        let _passing = self.pass().await?;
        self.inner.lease(ttl).await
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let _passing = self.pass().await?;
        self.inner.keep_alive(lease).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let _passing = self.pass().await?;
        self.inner.revoke(lease).await
    }

    async fn expire(&self) -> Result<(), StoreError> {
        let _passing = self.pass().await?;
        self.inner.expire().await
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        self.inner.export(writer).await
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        let _passing = self.pass().await?;
        self.inner.import(reader).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
