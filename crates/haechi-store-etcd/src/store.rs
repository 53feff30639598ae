//! The store itself: opens the parts and connects them.

use std::{
    io::{Read, Write},
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Page, Range, Rev, Store, StoreError, TxnError, Watch,
    archive::Summary, check, limits,
};
use tokio::sync::watch;

use crate::{
    Settings,
    client::{Client, path, unusable},
    compact,
    fault::Fault,
    group::Group,
    layout::{Epoch, Layout},
    message::{
        Comparison, LeaseGrantRequest, LeaseResponse, Operand, RangeRequest, RangeResponse,
        StatusRequest, StatusResponse, TxnRequest, TxnResponse,
    },
    slot::Slots,
    txn::{compare, put},
    version, watching,
};

/// Most bytes in a prefix: what the limits of a transaction leave room for.
const PREFIX_BYTES_MAX: usize = 64;

/// The distributed store. Share it in an `Arc`. Any number of processes may have the same one open.
pub struct EtcdStore {
    shared: Arc<Shared>,
}

/// What the parts of a store have in common.
pub(crate) struct Shared {
    pub client: Arc<Client>,
    pub group: Arc<Group>,
    pub layout: Layout,
    pub slots: Slots,
    /// This client's name in the slots' keys: a number that etcd gave and never gives again.
    pub id: i64,
    pub epoch: RwLock<Epoch>,
    /// What `compact.rs` has seen.
    pub noted: Mutex<compact::Noted>,
    pub closed: watch::Sender<bool>,
}

impl EtcdStore {
    /// Opens the store under the settings' prefix, or creates it.
    ///
    /// # Errors
    /// `Denied` if the settings cannot work or etcd refuses the user; `Unavailable` if no member
    /// answers in time or there is no majority; `TooOld` if a member's version is known to lose
    /// data; `Newer` or `Corrupt` if the prefix holds something that this program cannot read.
    pub async fn open(settings: Settings) -> Result<Self, StoreError> {
        let prefix = settings.prefix.as_str();
        if prefix.is_empty() || prefix.len() > PREFIX_BYTES_MAX || prefix.ends_with('/') {
            return Err(unusable("etcd", "a prefix has 1 to 64 bytes and does not end in a slash"));
        }
        let layout = Layout::new(prefix);
        let client = Arc::new(Client::new(settings)?);
        client.authenticate().await.map_err(Fault::into_error)?;
        check_versions(&client).await?;
        let epoch = read_or_create(&client, &layout).await?;
        // Granted for its number only; it ends by itself.
        let grant = LeaseGrantRequest { ttl: 1, id: 0 };
        let grant = client.call::<_, LeaseResponse>(path::LEASE_GRANT, grant).await;
        let id = grant.map_err(Fault::into_error)?.message.id;
        let shared = Arc::new(Shared {
            group: Group::new(client.clone()),
            client,
            layout,
            slots: Slots::new(),
            id,
            epoch: RwLock::new(epoch),
            noted: Mutex::default(),
            closed: watch::Sender::new(false),
        });
        compact::start(&shared);
        Ok(Self { shared })
    }
}

impl Drop for EtcdStore {
    fn drop(&mut self) {
        self.shared.closed.send_replace(true);
    }
}

impl Shared {
    /// The epoch, unless the store was closed.
    pub(crate) fn open(&self) -> Result<Epoch, StoreError> {
        if *self.closed.borrow() {
            return Err(StoreError::Closed);
        }
        // A panic while the lock was held cannot have left half an epoch, but says that all is lost.
        self.epoch.read().map(|epoch| *epoch).map_err(|_| StoreError::Closed)
    }
}

/// Asks every member that answers for its version.
async fn check_versions(client: &Client) -> Result<(), StoreError> {
    let limit = client.settings().attempt_timeout;
    for (index, endpoint) in client.urls().enumerate() {
        let status = client.ask::<_, StatusResponse>(index, path::STATUS, StatusRequest {}, limit);
        // Who does not answer now is not asked: the others can do without it.
        let Ok(status) = status.await else { continue };
        if !version::sound(&status.version) {
            return Err(StoreError::TooOld {
                endpoint: endpoint.to_owned(),
                found: status.version,
                needed: version::NEEDED,
            });
        }
    }
    Ok(())
}

async fn read_or_create(client: &Client, layout: &Layout) -> Result<Epoch, StoreError> {
    let master = layout.master();
    let create = TxnRequest {
        compare: vec![compare(master.clone(), Comparison::Equal, Operand::Create(0))],
        success: vec![put(master.clone(), Epoch::value(0, 0), 0)],
        failure: Vec::new(),
    };
    loop {
        let read = RangeRequest { key: master.clone(), ..RangeRequest::default() };
        let answer = client.call::<_, RangeResponse>(path::RANGE, read).await;
        if let Some(row) = answer.map_err(Fault::into_error)?.message.rows.first() {
            return Epoch::read(row);
        }
        let created = client.call::<_, TxnResponse>(path::TXN, create.clone()).await;
        created.map_err(Fault::into_write_error)?;
    }
}

#[async_trait]
impl Store for EtcdStore {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        if keys.len() > limits::GET_KEYS_MAX {
            return Err(StoreError::TooManyKeys { count: keys.len() });
        }
        self.shared.get(keys, at).await
    }

    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        self.shared.page(&range, limits::page_rows(limit), at).await
    }

    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        check(when, &then)?;
        self.shared.transact(when, then).await
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        watching::watch(self.shared.clone(), prefix, from)
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.shared.grant(ttl).await
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.shared.keep_alive(lease).await
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.shared.revoke(lease).await
    }

    /// etcd ends leases itself, whoever looks; there is nothing to do.
    async fn expire(&self) -> Result<(), StoreError> {
        self.shared.open().map(drop)
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        self.shared.clone().export(writer).await
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        self.shared.clone().import(reader).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.shared.closed.send_replace(true) {
            return Ok(());
        }
        self.shared.slots.close().await;
        self.shared.forget_slots().await;
        Ok(())
    }
}
