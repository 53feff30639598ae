//! A server whose root key is sealed: it listens, answers 503, and takes shares.
//!
//! What is stored, the server's certificate among it, cannot be read yet. So it shows one of the
//! moment, that nobody trusts: clients that check certificates fail at the handshake until haechi is
//! unsealed, and retry as they do when a server is down.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::cluster::show_sealed;
use haechi_core::{NodeState, SystemClock};
use haechi_crypto::RootKey;
use haechi_crypto::seal::ShamirSeal;
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Gateway, Limits, Listener, Port, Quotas};
use tokio::sync::watch;

use super::Server;
use super::prepare::{endpoint, node_row};
use crate::Failure;
use crate::data::DataDirectory;
use crate::operator::Door;
use crate::stack::Stack;
use crate::storage::{Storage, node_id};

/// Answers 503 until enough shares were given; `None` if told to stop before.
///
/// # Errors
/// If the port cannot be bound.
pub async fn wait(
    server: &mut Server,
    data: &DataDirectory,
    storage: &Storage,
    door: &Door,
    seal: &ShamirSeal,
) -> Result<Option<(RootKey, Port)>, Failure> {
    let gateway = Arc::new(gateway(server).await?);
    let tls = crate::tls::momentary(server.env.now())?;
    let plaintext = server.config.plaintext;
    let listener = Listener::bind(server.config.listen, Arc::new(tls), plaintext).await?;
    let port = listener.port()?;
    let root = door.take_shares(seal);
    server.show(&gateway);
    let address = endpoint(&server.config, listener.address());
    announce(&address, data, seal);
    let (tell, stop) = watch::channel(false);
    let mut signal = server.stop.clone();
    let ended = async {
        let root = tokio::select! {
            _ = signal.wait_for(|stop| *stop) => None,
            root = root => root.ok(),
        };
        if root.is_none() {
            door.shut();
        }
        tell.send_replace(true);
        root
    };
    let shown = show(server, data, storage, &address);
    let (root, ()) = tokio::select! {
        ended = async { tokio::join!(ended, listener.run(gateway, stop)) } => ended,
        never = shown => never,
    };
    Ok(root.map(|root| (root, port)))
}

/// Shows the other nodes that this one waits; never ends.
async fn show(
    server: &Server,
    data: &DataDirectory,
    storage: &Storage,
    address: &str,
) -> (Option<RootKey>, ()) {
    let shown = async || -> Result<(), Failure> {
        let store = storage.open(data, &server.env.clock).await?;
        let id = node_id(data, &server.env)?;
        Ok(show_sealed(&*store, &node_row(id, address, NodeState::Sealed)).await?)
    };
    while storage.is_shared() {
        if let Err(error) = shown().await {
            tracing::warn!(%error, "this node cannot show that it is sealed");
        }
        tokio::time::sleep(AGAIN).await;
    }
    std::future::pending().await
}

/// How long until a node that could not show itself tries again.
const AGAIN: Duration = Duration::from_secs(2);

/// Knows all services by name, and nothing else.
async fn gateway(server: &Server) -> Result<Gateway, Failure> {
    let stack = Stack::in_memory().await?;
    Ok(Gateway {
        router: stack.router,
        identities: stack.iam,
        audit: stack.audit,
        env: server.env.clone(),
        wall: Arc::new(SystemClock),
        limits: Limits::default(),
        quotas: Arc::new(Quotas::none()),
        metrics: Metrics::default(),
        dev: None,
        cluster: None,
        intents: None,
        sealed: true,
    })
}

fn announce(endpoint: &str, data: &DataDirectory, seal: &ShamirSeal) {
    let (threshold, shares) = (seal.threshold(), seal.shares());
    println!("haechi {} is sealed\n", crate::cli::VERSION);
    println!("  endpoint     {endpoint} (answers 503)");
    println!("  data         {}", data.path().display());
    println!("  installation {}", seal.installation());
    println!("\nNext: {threshold} of the {shares} holders of shares each run, as this user,");
    println!("  haechi operator unseal --data {}", data.path().display());
}
