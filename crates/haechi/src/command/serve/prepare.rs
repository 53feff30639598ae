//! From an open root key to a server that is about to serve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use haechi_core::{
    AccountId, Cluster, Env, Identities, MovableClock, NodeRow, NodeState, SystemClock,
};
use haechi_crypto::{RootKey, SealConfig};
use haechi_gateway::dev::DevControls;
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Gateway, Limits, Listener, Port};
use haechi_store::Gate;
use haechi_store_mem::MemStore;
use tokio::task::JoinHandle;

use super::background::background;
use crate::Failure;
use crate::config::Config;
use crate::data::{DataDirectory, Endpoint, RootAccessKey, write_with_mode};
use crate::dev::{Controls, DevIdentities};
use crate::installation::Installation;
use crate::keeper::{Keeper, root_key_file};
use crate::moving::{Moving, refuse_moved};
use crate::quotas::quotas;
use crate::stack::{Records, Stack, store_clock};
use crate::storage::{Storage, node_id};
use crate::tls::{self, Tls};
use crate::{nodes, peering, subscriptions, web_identity, xks};

/// A server that is about to serve, and what must outlive it.
pub struct Ready {
    pub gateway: Arc<Gateway>,
    pub listener: Listener,
    pub installation: Arc<Installation>,
    /// What is done by itself.
    pub duties: JoinHandle<()>,
    pub endpoint: Endpoint,
    pub root_key: RootAccessKey,
    pub account: AccountId,
    /// The port for other deployments, where it is configured.
    pub peering: Option<peering::Peering>,
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
    /// Where the records lie.
    pub storage: &'a Storage,
    /// Where the sealed server listened.
    pub port: Option<Port>,
}

/// Opens the store, wires the services, binds the port.
///
/// # Errors
/// If any of it fails.
pub async fn prepare(parts: Parts<'_>) -> Result<Ready, Failure> {
    let Parts { config, env, movable, data, storage, port } = parts;
    let (mut records, seal, data) = open(env, storage, data).await?;
    let moving = moving(config, storage, data, &mut records);
    let is_shared = storage.is_shared();
    let node = data.filter(|_| is_shared).map(|data| node_id(data, env)).transpose()?;
    let mut stack = Stack::new(records, env, data).await?;
    settle(&stack, is_shared).await?;
    configure(config, &mut stack)?;
    let account = account(config, &stack, data, env).await?;
    let root_key = root_access_key(&stack, &account, data).await?;
    let Tls { config: tls, ca_pem } =
        tls::load_or_create(&stack.database, &tls_names(config), node.as_deref(), env.now())
            .await?;
    let (ca_bundle, proxy_tls) = (ca_file(config, data, &ca_pem)?, Arc::clone(&tls));
    let listener = match port {
        Some(port) => Listener::at(&port, tls, config.plaintext)?,
        None => Listener::bind(config.listen, tls, config.plaintext).await?,
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
    let reached = reached(config, &endpoint.endpoint, listener.address());
    let cluster = join(&mut stack, env, node, (&reached, &ca_pem)).await?;
    functions(config, &stack, data, (&endpoint, listener.address()));
    let (regions, peer_options) = (&config.regions, config.peering.as_ref());
    let api = &endpoint.endpoint;
    let peering = peering::start(regions, peer_options, &mut stack, env, api).await?;
    let (dev, identities) = dev(config, &stack, movable).await?;
    let quotas = Arc::new(quotas(config, &stack.router)?);
    let gateway = Arc::new(Gateway {
        router: std::mem::take(&mut stack.router),
        identities,
        audit: Arc::clone(&stack.audit),
        env: env.clone(),
        wall: Arc::new(SystemClock),
        limits: Limits::default(),
        quotas,
        metrics: if is_shared { Metrics::default().with_cluster() } else { Metrics::default() },
        dev,
        cluster: cluster.clone(),
        intents: stack.intents.clone(),
        sealed: false,
    });
    let root_key_file =
        data.zip(seal.as_ref()).and_then(|(data, seal)| root_key_file(data.path(), seal));
    let keeper = data.zip(seal).map(|(data, seal)| Keeper::new(data, seal));
    let installation = Arc::new(Installation { stack, env: env.clone(), keeper, cluster, moving });
    let xks = xks::proxy(&config.xks, &proxy_tls, &installation).await?;
    let duties = tokio::spawn(background(Arc::clone(&installation)));
    Ok(Ready {
        gateway,
        listener,
        installation,
        duties,
        endpoint,
        root_key,
        account,
        root_key_file,
        peering,
        xks,
    })
}

/// The store, in memory where there is no data directory; and what else of the directory counts.
async fn open<'a>(
    env: &Env,
    storage: &Storage,
    data: Option<(&'a DataDirectory, Opened)>,
) -> Result<(Records, Option<SealConfig>, Option<&'a DataDirectory>), Failure> {
    let Some((data, (seal, root))) = data else {
        let root = RootKey::generate(&*env.random)?;
        let store = Arc::new(MemStore::new(store_clock(&env.clock)));
        return Ok((Records { store, root, epoch: 0, is_shared: false }, None, None));
    };
    if !root.is_locked() {
        tracing::warn!(
            "the root key could not be locked in memory (RLIMIT_MEMLOCK): it may reach swap"
        );
    }
    let (store, epoch) = (storage.open(data, &env.clock).await?, seal.epoch());
    refuse_moved(&*store).await?;
    let records = Records { store, root, epoch, is_shared: storage.is_shared() };
    Ok((records, Some(seal), Some(data)))
}

/// Puts a gate before records that may move to etcd; the operator's own words forbid it.
fn moving(
    config: &Config,
    storage: &Storage,
    data: Option<&DataDirectory>,
    records: &mut Records,
) -> Option<Moving> {
    let data = data.filter(|_| !storage.is_shared() && config.storage.is_none())?;
    let gate = Arc::new(Gate::new(Arc::clone(&records.store)));
    records.store = Arc::clone(&gate) as _;
    Some(Moving::new(data, gate))
}

/// Joins the nodes over the store.
async fn join(
    stack: &mut Stack,
    env: &Env,
    id: Option<String>,
    (address, ca_pem): (&str, &str),
) -> Result<Option<Arc<Cluster>>, Failure> {
    let Some(id) = id else { return Ok(None) };
    let row = node_row(id, address, NodeState::Serving);
    let cluster = Cluster::join(Arc::clone(&stack.database), env.clone(), row).await?;
    stack.jobs.share(cluster.ownership())?;
    nodes::connect(stack, env, cluster.id(), ca_pem)?;
    Ok(Some(Arc::new(cluster)))
}

/// What the only server over its records does before it serves.
async fn settle(stack: &Stack, is_shared: bool) -> Result<(), Failure> {
    if !is_shared {
        // What a change of the root key that was cut off has left.
        stack.database.forget_other_roots().await?;
        stack.database.raise_format_alone().await?;
    }
    Ok(())
}

/// What the operator decides of services.
fn configure(config: &Config, stack: &mut Stack) -> Result<(), Failure> {
    web_identity::mount(stack, &config.web_identity)?;
    subscriptions::mount(stack, config.outbound.each_ref(), config.smtp.as_ref())?;
    stack.kms.use_key_stores(config.xks.surroundings(&config.cloudhsm)?);
    Ok(())
}

/// The account to serve: of several the one that the credentials file is for.
async fn account(
    config: &Config,
    stack: &Stack,
    data: Option<&DataDirectory>,
    env: &Env,
) -> Result<AccountId, Failure> {
    let kept = data.and_then(|data| data.read_credentials().ok());
    let kept = kept.and_then(|key| haechi_core::access_key_id::account(&key.access_key_id));
    let preferred = kept.as_ref().or(config.dev.as_ref());
    stack.account(config.account_id.as_ref(), preferred, env).await
}

/// What this node tells of itself.
pub fn node_row(id: String, address: &str, state: NodeState) -> NodeRow {
    NodeRow {
        id,
        address: address.to_owned(),
        version: crate::cli::VERSION.to_owned(),
        format: crate::format::newest(),
        state,
        seen_ms: 0,
        lag_ms: None,
        shards: Vec::new(),
        root: None,
    }
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
    let key_sets = stack.key_sets.clone();
    let controls = Controls::new(database, Arc::clone(movable), jobs, key_sets).await?;
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

/// How other nodes reach the server.
fn reached(config: &Config, endpoint: &str, listening: SocketAddr) -> String {
    let scheme = endpoint.split_once("://").map_or("https", |(scheme, _)| scheme);
    match &config.node_name {
        Some(name) => format!("{scheme}://{name}:{}", listening.port()),
        None => endpoint.to_owned(),
    }
}

/// Names in the server's certificate beside those that it always has.
fn tls_names(config: &Config) -> Vec<String> {
    let listen = config.listen.ip();
    let own = (!listen.is_unspecified()).then(|| listen.to_string());
    let regional = format!("*.{}.localhost", config.region);
    let named = config.node_name.clone();
    config.tls_names.iter().cloned().chain([regional]).chain(named).chain(own).collect()
}

/// Tells Lambda how functions run, and where they reach haechi.
fn functions(
    config: &Config,
    stack: &Stack,
    data: Option<&DataDirectory>,
    (endpoint, address): (&Endpoint, SocketAddr),
) {
    let runner = stack.lambda.runner();
    runner.configure(config.lambda.options(data.map(DataDirectory::functions).as_deref()));
    let plain = config.dev.is_some() && config.plaintext;
    let authority = Some(endpoint.ca_bundle.clone());
    let authority = authority.filter(|path| !plain && !path.as_os_str().is_empty());
    runner.reachable_at(haechi_lambda::Endpoint {
        url: endpoint.endpoint.clone(),
        address,
        authority,
    });
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
