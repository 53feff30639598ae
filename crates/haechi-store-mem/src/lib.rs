//! The store in memory: what `--dev` and tests run on. Same promises as every engine but one:
//! nothing survives the process.
//!
//! A row is its list of versions (`state.rs`); reads at a past revision pick the version of that
//! time, and a log of the newest revisions feeds the watches. One mutex guards it all; no
//! operation waits while it holds it.

mod state;

use std::{
    io::{BufReader, BufWriter, Read, Write},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use haechi_store::archive::{Reader, Summary, Writer};
use haechi_store::{
    Batch, Cond, History, Key, Kv, Lease, LeaseId, Op, Options, Page, Progress, Range, Rev, Store,
    StoreError, TxnError, Watch, check, limits,
};
use tokio::sync::watch;

use crate::state::State;

/// A store that lives as long as the process. Clones share it.
#[derive(Clone)]
pub struct MemStore {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    options: Options,
}

impl MemStore {
    /// An empty store.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let state = Mutex::new(State::new(options.history));
        let progress = watch::Sender::new(Progress::default());
        Self { inner: Arc::new(Inner { state, progress, options }) }
    }
}

impl Inner {
    /// The state, with outlived leases gone.
    fn lock(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        // A panic while the lock was held may have left half a transaction: nothing goes on then.
        let mut state = self.state.lock().map_err(|_| StoreError::Closed)?;
        if self.progress.borrow().closed {
            return Err(StoreError::Closed);
        }
        if state.expire(self.options.clock.now()) {
            self.publish(&state);
        }
        Ok(state)
    }

    fn publish(&self, state: &State) {
        self.progress.send_modify(|progress| progress.rev = state.rev());
    }
}

#[async_trait]
impl History for Inner {
    async fn events(&self, prefix: &Key, from: Rev) -> Result<(Vec<Batch>, Rev), StoreError> {
        self.lock()?.events(prefix, from)
    }
}

#[async_trait]
impl Store for MemStore {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        if keys.len() > limits::GET_KEYS_MAX {
            return Err(StoreError::TooManyKeys { count: keys.len() });
        }
        let state = self.inner.lock()?;
        let at = state.readable(at)?;
        Ok((keys.iter().map(|key| state.row(key, at)).collect(), at))
    }

    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        let state = self.inner.lock()?;
        let at = state.readable(at)?;
        Ok(state.page(&range, limits::page_rows(limit), at))
    }

    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        check(when, &then)?;
        let mut state = self.inner.lock()?;
        state.judge(when)?;
        let rev = state.apply(then)?;
        self.inner.publish(&state);
        Ok(rev)
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        haechi_store::watch(self.inner.clone(), self.inner.progress.subscribe(), prefix, from)
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        if ttl < Duration::from_millis(1) {
            return Err(StoreError::LeaseTtl);
        }
        let mut state = self.inner.lock()?;
        let id = state.grant(ttl, self.inner.options.clock.now());
        self.inner.publish(&state);
        Ok(Lease { id, ttl })
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.inner.lock()?.keep_alive(lease, self.inner.options.clock.now())
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let mut state = self.inner.lock()?;
        state.revoke(lease)?;
        self.inner.publish(&state);
        Ok(())
    }

    async fn expire(&self) -> Result<(), StoreError> {
        self.inner.lock().map(drop)
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        let (rows, rev) = {
            let state = self.inner.lock()?;
            (state.rows(), state.rev())
        };
        let mut writer = Writer::new(BufWriter::new(writer), rev)?;
        for kv in rows.iter().filter(|kv| kv.lease.is_none()) {
            writer.row(kv)?;
        }
        writer.finish()
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        self.inner.lock()?.must_be_new()?;
        let mut reader = Reader::new(BufReader::new(reader))?;
        let mut rows = Vec::new();
        while let Some(kv) = reader.next_row()? {
            rows.push(kv);
        }
        let summary = reader.finish()?;
        let mut state = self.inner.lock()?;
        state.must_be_new()?;
        state.load(rows, summary.rev);
        self.inner.publish(&state);
        Ok(summary)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.progress.send_modify(|progress| progress.closed = true);
        Ok(())
    }
}
