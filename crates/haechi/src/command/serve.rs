//! `haechi serve`.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{AccountId, Clock, Env, Identities, MovableClock, SystemClock};
use haechi_crypto::{Random as _, SealConfig, SystemRandom, process_hardening};
use haechi_gateway::admin::Admin;
use haechi_gateway::dev::DevControls;
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Gateway, Limits, Listener, Quotas};
use haechi_store::Store;
use haechi_store_mem::MemStore;
use haechi_store_sqlite::SqliteStore;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{LogFormat, SealKind, ServeOptions};
use crate::config::Config;
use crate::data::{DataDirectory, Endpoint, RootAccessKey, write_private, write_with_mode};
use crate::dev::{Controls, DevIdentities};
use crate::installation::Installation;
use crate::operator::{self, Door};
use crate::stack::{Stack, environment, store_clock};
use crate::tls::{self, Tls};
use crate::unseal::unseal;
use crate::web_identity;

/// How often the domain key's age is looked at.
const KEYRING_CHECK: Duration = Duration::from_secs(3600);

/// How often the use of access keys and of KMS keys is written down.
const LAST_USED_FLUSH: Duration = Duration::from_secs(60);

/// Serves until told to stop.
///
/// # Errors
/// A sentence for the operator.
pub fn run(options: ServeOptions) -> Result<ExitCode, Failure> {
    let config = Config::new(options)?;
    log(&config)?;
    process_hardening()?;
    raise_file_limit();
    seed_random()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(config))
}

/// Draws once, beside the start. AWS-LC seeds itself from the CPU's jitter at a process's first draw,
/// which takes some 30 ms: the first caller would wait for it.
fn seed_random() -> Result<(), Failure> {
    let draw = || SystemRandom::new().fill(&mut [0; 16]);
    std::thread::Builder::new().name("seed-random".to_owned()).spawn(draw)?;
    Ok(())
}

/// A server that is about to serve, and what must outlive it.
struct Ready {
    gateway: Arc<Gateway>,
    listener: Listener,
    installation: Arc<Installation>,
    endpoint: Endpoint,
    root_key: RootAccessKey,
    account: AccountId,
}

async fn serve(config: Config) -> Result<ExitCode, Failure> {
    let stop = stop_signal()?;
    let movable = Arc::new(MovableClock::new(SystemClock));
    let clock: Arc<dyn Clock> =
        if config.dev.is_some() { Arc::clone(&movable) as _ } else { Arc::new(SystemClock) };
    let env = environment(clock);
    let admin = match config.admin_listen {
        Some(address) => Some(Admin::bind(address).await.map_err(|error| {
            format!("cannot listen on {address} for the operator: {error}. --admin-listen chooses another address, or `off`")
        })?),
        None => None,
    };
    let ready = prepare(&config, &env, &movable).await?;
    if let Some(admin) = admin {
        tokio::spawn(admin.run(Arc::clone(&ready.gateway)));
    }
    let door = operator_door(config.data.as_deref(), &ready.installation)?;
    announce(&config, &ready)?;
    ready.listener.run(Arc::clone(&ready.gateway), stop).await;
    door.open(None);
    flush(&ready.installation.stack).await;
    ready.installation.close().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn prepare(
    config: &Config,
    env: &Env,
    movable: &Arc<MovableClock>,
) -> Result<Ready, Failure> {
    let data = config.data.as_deref().map(DataDirectory::open_or_create).transpose()?;
    let (store, root, mut seal): (Arc<dyn Store>, _, _) = match &data {
        Some(data) => {
            let (seal, root) = unseal(data, &config.seal, true, &*env.random)?;
            (Arc::new(SqliteStore::open(data.store(), store_clock(&env.clock))?), root, Some(seal))
        }
        None => {
            let root = haechi_crypto::RootKey::generate(&*env.random)?;
            (Arc::new(MemStore::new(store_clock(&env.clock))), root, None)
        }
    };
    if !root.is_locked() {
        tracing::warn!(
            "the root key could not be locked in memory (RLIMIT_MEMLOCK): it may reach swap"
        );
    }
    let epoch = seal.as_ref().map_or(0, SealConfig::epoch);
    let mut stack = Stack::new(store, root, env, epoch, data.as_ref()).await?;
    web_identity::mount(&mut stack, &config.web_identity)?;
    // Of several accounts it is the one that the credentials file is for.
    let kept = data.as_ref().and_then(|data| data.read_credentials().ok());
    let kept = kept.and_then(|key| haechi_core::access_key_id::account(&key.access_key_id));
    let preferred = kept.as_ref().or(config.dev.as_ref());
    let account = stack.account(config.account_id.as_ref(), preferred, env).await?;
    let root_key = root_access_key(&stack, &account, data.as_ref()).await?;
    let listen = config.listen;
    let Tls { config: tls, ca_pem } =
        tls::load_or_create(&stack.database, &tls_names(config), listen.ip(), env.now()).await?;
    let ca_bundle = ca_file(config, data.as_ref(), &ca_pem)?;
    let listener = Listener::bind(listen, tls, config.plaintext).await?;
    let endpoint = Endpoint {
        endpoint: endpoint(config, listener.address()),
        account_id: account.to_string(),
        region: config.region.to_string(),
        ca_bundle,
    };
    if let Some(data) = &data {
        data.write_endpoint(&endpoint)?;
    }
    let dev = dev_controls(config, &stack, movable).await?;
    let identities: Arc<dyn Identities> = match &config.dev {
        Some(account) => {
            Arc::new(DevIdentities { iam: Arc::clone(&stack.iam), account: account.clone() })
        }
        None => Arc::clone(&stack.iam) as _,
    };
    if let (Some(seal), Some(data)) = (seal.take(), &data) {
        tokio::spawn(rotate_keyring(Arc::clone(&stack.database), seal, data.clone(), env.clone()));
    }
    let gateway = Arc::new(Gateway {
        router: std::mem::take(&mut stack.router),
        identities,
        audit: Arc::clone(&stack.audit),
        env: env.clone(),
        wall: Arc::new(SystemClock),
        limits: Limits::default(),
        quotas: quotas(config),
        metrics: Metrics::default(),
        dev,
    });
    let installation = Arc::new(Installation { stack, env: env.clone() });
    tokio::spawn(background(Arc::clone(&installation)));
    Ok(Ready { gateway, listener, installation, endpoint, root_key, account })
}

/// The controls of `--dev`, where it is on.
async fn dev_controls(
    config: &Config,
    stack: &Stack,
    movable: &Arc<MovableClock>,
) -> Result<Option<Arc<dyn DevControls>>, Failure> {
    if config.dev.is_none() {
        return Ok(None);
    }
    let (database, jobs) = (Arc::clone(&stack.database), Arc::clone(&stack.jobs));
    let controls = Controls::new(database, Arc::clone(movable), jobs).await?;
    Ok(Some(Arc::new(controls)))
}

/// Takes the operator's commands at the data directory's socket.
fn operator_door(data: Option<&Path>, open: &Arc<Installation>) -> Result<Arc<Door>, Failure> {
    let door = Arc::new(Door::default());
    door.open(Some(Arc::clone(open)));
    let Some(data) = data else { return Ok(door) };
    match operator::bind(&DataDirectory::open_or_create(data)?) {
        Ok(socket) => drop(tokio::spawn(operator::serve(socket, Arc::clone(&door)))),
        // haechi serves all the same: commands then need it stopped.
        Err(error) => tracing::warn!(%error, "the operator's commands need the server stopped"),
    }
    Ok(door)
}

/// How many requests an account may make.
fn quotas(config: &Config) -> Quotas {
    if config.request_quotas {
        Quotas::new(haechi_kms::REQUEST_QUOTAS.iter().copied())
    } else {
        Quotas::none()
    }
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
fn endpoint(config: &Config, listening: SocketAddr) -> String {
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

/// Writes down what was used, and when.
async fn flush(stack: &Stack) {
    if let Err(fault) = stack.iam.flush_last_used().await {
        tracing::warn!(error = ?fault, "the last use of access keys could not be written");
    }
    if let Err(fault) = stack.kms.flush_usage().await {
        tracing::warn!(error = ?fault, "the use of KMS keys could not be written");
    }
}

async fn background(open: Arc<Installation>) {
    let flushes = async {
        loop {
            tokio::time::sleep(LAST_USED_FLUSH).await;
            flush(&open.stack).await;
        }
    };
    let rotations = open.stack.secrets.rotate_forever();
    tokio::join!(open.stack.jobs.run_forever(), rotations, flushes);
}

async fn rotate_keyring(
    database: Arc<haechi_core::Database>,
    mut seal: SealConfig,
    data: DataDirectory,
    env: Env,
) {
    loop {
        match database.rotate_if_due(env.now()).await {
            Ok(None) => {}
            Ok(Some(id)) => {
                let advanced = seal
                    .advance_epoch(database.root(), id, &*env.random)
                    .and_then(|()| seal.save(data.path()));
                match advanced {
                    Ok(()) => tracing::info!(id, "a new domain key seals from now on"),
                    Err(error) => tracing::error!(%error, "seal.json could not be updated"),
                }
            }
            Err(fault) => tracing::error!(error = ?fault, "the domain key could not be rotated"),
        }
        tokio::time::sleep(KEYRING_CHECK).await;
    }
}

/// Tells people on standard output, and programs in the ready file.
fn announce(config: &Config, ready: &Ready) -> Result<(), Failure> {
    let Endpoint { endpoint, region, ca_bundle, .. } = &ready.endpoint;
    println!("haechi {} is serving\n", env!("CARGO_PKG_VERSION"));
    println!("  endpoint     {endpoint}");
    println!("  account      {}", ready.account);
    println!("  region       {region} (all others too)");
    if let Some(data) = &config.data {
        println!("  data         {}", data.display());
        println!(
            "  credentials  {} (root access key: keep it safe)",
            data.join("credentials").display()
        );
        println!("  CA           {}", ca_bundle.display());
    }
    if config.dev.is_some() {
        println!(
            "\nWARNING: --dev. Unknown access keys are root, the clock can be moved, plain HTTP is"
        );
        println!(
            "         answered{}. For tests only.",
            if config.data.is_none() { ", nothing is kept" } else { "" }
        );
        println!("\nNext, in another terminal:");
        println!("  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region}");
        println!(
            "  AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=any aws kms create-key",
            ready.account
        );
    } else {
        if config.seal.seal.unwrap_or(SealKind::File) == SealKind::File && has_root_key(config) {
            println!(
                "\nNote: the root key lies in a file beside the data (root.key). Whoever can read the"
            );
            println!(
                "      disk can read everything; --seal passphrase or --seal pkcs11 avoid that."
            );
        }
        println!("\nNext, in another terminal:");
        println!("  haechi exec -- aws kms create-key");
    }
    if let Some(path) = &config.ready_file {
        write_private(path, ready_json(ready)?.as_bytes())
            .map_err(|error| format!("ready file {}: {error}", path.display()))?;
    }
    Ok(())
}

fn has_root_key(config: &Config) -> bool {
    config
        .data
        .as_ref()
        .is_some_and(|data| data.join(haechi_crypto::seal::ROOT_KEY_FILE_NAME).exists())
}

fn ready_json(ready: &Ready) -> Result<Zeroizing<String>, Failure> {
    let json = serde_json::json!({
        "endpoint": ready.endpoint.endpoint,
        "account_id": ready.endpoint.account_id,
        "region": ready.endpoint.region,
        "access_key_id": ready.root_key.access_key_id,
        "secret_access_key": *ready.root_key.secret_access_key,
        "ca_bundle": ready.endpoint.ca_bundle,
    });
    Ok(Zeroizing::new(serde_json::to_string(&json)?))
}

fn log(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .map_err(|error| format!("--log {}: {error}", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    }
}

/// Turns true on SIGTERM and Ctrl-C.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (tell, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
        tell.send_replace(true);
        // A second signal means now.
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    Ok(stop)
}

/// Each connection is a file: lets there be as many as the machine allows.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
