//! From an open root key to a server that is about to serve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use haechi_core::{AccountId, Env, Identities, MovableClock, SystemClock};
use haechi_crypto::{RootKey, SealConfig};
use haechi_gateway::dev::DevControls;
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Gateway, Limits, Listener, Port};
use haechi_store::Store;
use haechi_store_mem::MemStore;
use haechi_store_sqlite::SqliteStore;

use super::background::background;
use crate::Failure;
use crate::config::Config;
use crate::data::{DataDirectory, Endpoint, RootAccessKey, write_with_mode};
use crate::dev::{Controls, DevIdentities};
use crate::installation::Installation;
use crate::keeper::{Keeper, root_key_file};
use crate::quotas::quotas;
use crate::stack::{Stack, store_clock};
use crate::tls::{self, Tls};
use crate::{subscriptions, web_identity, xks};

/// A server that is about to serve, and what must outlive it.
pub struct Ready {
    pub gateway: Arc<Gateway>,
    pub listener: Listener,
    pub installation: Arc<Installation>,
    pub endpoint: Endpoint,
    pub root_key: RootAccessKey,
    pub account: AccountId,
    /// The proxy for another KMS, where it is configured.
    pub xks: Option<xks::Proxy>,
    /// The file of the root key, where it lies in one.
    pub root_key_file: Option<PathBuf>,
}

/// The root key, and the seal that it came out of.
pub type Opened = (SealConfig, RootKey);

/// What a server is made of.
pub struct Parts<'a> {
    /// How to serve.
    pub config: &'a Config,
    /// Time and randomness.
    pub env: &'a Env,
    /// The clock of `--dev`.
    pub movable: &'a Arc<MovableClock>,
    /// The data directory and its open seal; `None` is memory.
    pub data: Option<(&'a DataDirectory, Opened)>,
    /// Where the sealed server listened.
    pub port: Option<Port>,
}

/// Opens the store, wires the services, binds the port.
///
/// # Errors
/// If any of it fails.
pub async fn prepare(parts: Parts<'_>) -> Result<Ready, Failure> {
    let Parts { config, env, movable, data, port } = parts;
    let (store, root, seal, data): (Arc<dyn Store>, _, _, _) = match data {
        Some((data, (seal, root))) => {
            let store = SqliteStore::open(data.store(), store_clock(&env.clock))?;
            (Arc::new(store), root, Some(seal), Some(data))
        }
        None => {
            let root = RootKey::generate(&*env.random)?;
            (Arc::new(MemStore::new(store_clock(&env.clock))), root, None, None)
        }
    };
    if !root.is_locked() {
        tracing::warn!(
            "the root key could not be locked in memory (RLIMIT_MEMLOCK): it may reach swap"
        );
    }
    let epoch = seal.as_ref().map_or(0, SealConfig::epoch);
    let mut stack = Stack::new(store, root, env, epoch, data).await?;
    // What a change of the root key that was cut off has left.
    stack.database.forget_other_roots().await?;
    web_identity::mount(&mut stack, &config.web_identity)?;
    subscriptions::mount(&stack, &config.sns, config.smtp.as_ref())?;
    stack.kms.use_key_stores(config.xks.surroundings(&config.cloudhsm)?);
    // Of several accounts it is the one that the credentials file is for.
    let kept = data.and_then(|data| data.read_credentials().ok());
    let kept = kept.and_then(|key| haechi_core::access_key_id::account(&key.access_key_id));
    let preferred = kept.as_ref().or(config.dev.as_ref());
    let account = stack.account(config.account_id.as_ref(), preferred, env).await?;
    let root_key = root_access_key(&stack, &account, data).await?;
    let listen = config.listen;
    let Tls { config: tls, ca_pem } =
        tls::load_or_create(&stack.database, &tls_names(config), listen.ip(), env.now()).await?;
    let (ca_bundle, proxy_tls) = (ca_file(config, data, &ca_pem)?, Arc::clone(&tls));
    let listener = match port {
        Some(port) => Listener::at(&port, tls, config.plaintext)?,
        None => Listener::bind(listen, tls, config.plaintext).await?,
    };
    let endpoint = Endpoint {
        endpoint: endpoint(config, listener.address()),
        account_id: account.to_string(),
        region: config.region.to_string(),
        ca_bundle,
    };
    stack.sns.reached_at(&endpoint.endpoint);
    if let Some(data) = data {
        data.write_endpoint(&endpoint)?;
    }
    let (dev, identities) = dev(config, &stack, movable).await?;
    let quotas = quotas(config, &stack.router)?;
    let gateway = Arc::new(Gateway {
        router: std::mem::take(&mut stack.router),
        identities,
        audit: Arc::clone(&stack.audit),
        env: env.clone(),
        wall: Arc::new(SystemClock),
        limits: Limits::default(),
        quotas,
        metrics: Metrics::default(),
        dev,
        sealed: false,
    });
    let root_key_file =
        data.zip(seal.as_ref()).and_then(|(data, seal)| root_key_file(data.path(), seal));
    let keeper = data.zip(seal).map(|(data, seal)| Keeper::new(data, seal));
    let installation = Arc::new(Installation { stack, env: env.clone(), keeper });
    let xks = xks::proxy(&config.xks, &proxy_tls, &installation).await?;
    tokio::spawn(background(Arc::clone(&installation)));
    Ok(Ready { gateway, listener, installation, endpoint, root_key, account, root_key_file, xks })
}

/// What `--dev` adds: controls, and callers whom nobody made.
async fn dev(
    config: &Config,
    stack: &Stack,
    movable: &Arc<MovableClock>,
) -> Result<(Option<Arc<dyn DevControls>>, Arc<dyn Identities>), Failure> {
    let iam = Arc::clone(&stack.iam);
    let Some(account) = &config.dev else { return Ok((None, iam)) };
    let (database, jobs) = (Arc::clone(&stack.database), Arc::clone(&stack.jobs));
    let controls = Controls::new(database, Arc::clone(movable), jobs).await?;
    Ok((Some(Arc::new(controls)), Arc::new(DevIdentities { iam, account: account.clone() })))
}

/// The root access key in the credentials file; made where there is none.
async fn root_access_key(
    stack: &Stack,
    account: &AccountId,
    data: Option<&DataDirectory>,
) -> Result<RootAccessKey, Failure> {
    let Some(data) = data else { return stack.root_access_key(account).await };
    if data.credentials().exists() {
        return data.read_credentials();
    }
    let key = stack.root_access_key(account).await?;
    data.write_credentials(&key)?;
    Ok(key)
}

/// How clients on this machine reach the server.
pub fn endpoint(config: &Config, listening: SocketAddr) -> String {
    let scheme = if config.dev.is_some() && config.plaintext { "http" } else { "https" };
    // All addresses are no address to call; loopback is among them, and in the certificate.
    let host = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(host, listening.port()))
}

/// Names in the server's certificate beside those that it always has.
fn tls_names(config: &Config) -> Vec<String> {
    let regional = format!("*.{}.localhost", config.region);
    config.tls_names.iter().cloned().chain([regional]).collect()
}

/// Where clients find the CA's certificate.
fn ca_file(
    config: &Config,
    data: Option<&DataDirectory>,
    pem: &str,
) -> Result<std::path::PathBuf, Failure> {
    let path = match (data, &config.ready_file) {
        (Some(data), _) => data.ca(),
        (None, Some(ready)) => ready.with_extension("ca.pem"),
        (None, None) => return Ok(std::path::PathBuf::new()),
    };
    let same = std::fs::read_to_string(&path).is_ok_and(|old| old == pem);
    if !same {
        write_with_mode(&path, pem.as_bytes(), 0o644)?;
    }
    Ok(std::path::absolute(path)?)
}
