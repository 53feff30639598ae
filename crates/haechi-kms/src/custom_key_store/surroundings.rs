//! What the operator has configured for custom key stores, and what is open of it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use haechi_core::{Clock, SystemClock};
use haechi_crypto::token_keys::TokenKeys;
use haechi_xks::{Client, Place, Transport, TransportError};

use crate::Kms;

/// A PKCS#11 token that stands for a CloudHSM cluster.
#[derive(Debug, Clone)]
pub struct CloudHsmCluster {
    /// The vendor's library.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The certificate (PEM) that a key store for it must name; `None` lets any pass.
    pub trust_anchor_certificate: Option<String>,
}

/// The networks and tokens that custom key stores may use.
pub struct KeyStoreSurroundings {
    /// Asks external key store proxies.
    pub client: Client,
    /// Addresses of proxies by name, where a name's own address is not to be called.
    pub endpoints: BTreeMap<String, SocketAddr>,
    /// Addresses that stand for VPC endpoint services, by name.
    pub vpc_endpoint_services: BTreeMap<String, SocketAddr>,
    /// Tokens by the id of the cluster that they stand for.
    pub clusters: BTreeMap<String, CloudHsmCluster>,
    /// The real time, for signatures: `--dev` moves the other one.
    pub clock: Arc<dyn Clock>,
    logins: Mutex<HashMap<String, Arc<TokenKeys>>>,
}

/// Reaches nothing.
struct NoTransport;

#[async_trait]
impl Transport for NoTransport {
    async fn send(
        &self,
        _: &Place,
        _: http::Request<http_body_util::Full<bytes::Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        Err(TransportError::Unreachable("this KMS has no network".to_owned()))
    }
}

/// Of a KMS that was given none.
static NONE: LazyLock<KeyStoreSurroundings> =
    LazyLock::new(|| KeyStoreSurroundings::new(Client::new(Arc::new(NoTransport))));

impl Kms {
    /// What custom key stores may use.
    pub(crate) fn surroundings(&self) -> &KeyStoreSurroundings {
        self.key_stores.get().map_or(&NONE, |given| given)
    }
}

impl KeyStoreSurroundings {
    /// With proxies asked by `client`, and nothing else.
    pub fn new(client: Client) -> KeyStoreSurroundings {
        KeyStoreSurroundings {
            client,
            endpoints: BTreeMap::new(),
            vpc_endpoint_services: BTreeMap::new(),
            clusters: BTreeMap::new(),
            clock: Arc::new(SystemClock),
            logins: Mutex::default(),
        }
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<String, Arc<TokenKeys>>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn login(&self, store_id: &str) -> Option<Arc<TokenKeys>> {
        self.logins().get(store_id).cloned()
    }

    pub(super) fn keep_login(&self, store_id: &str, login: &Arc<TokenKeys>) {
        self.logins().insert(store_id.to_owned(), Arc::clone(login));
    }

    /// Ends the login of a store.
    pub(crate) fn log_out(&self, store_id: &str) {
        self.logins().remove(store_id);
    }
}
