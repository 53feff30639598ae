//! Other deployments that serve other Regions.
//!
//! ```text
//! peering/options.rs  [regions] and [peering] of the configuration file
//! peering/store.rs    this deployment's identity, and the cards of those that its operator knows
//! peering/inbox.rs    what peers say, handed to the services, with a record in the audit log
//! ```

mod inbox;
mod options;
mod store;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Database, Env, Region, Regions};
use haechi_peer::card::Parts;
use haechi_peer::{Card, Https, Inbox, Limits, Listener, Peer, Peers};
use tokio::sync::watch;

pub use options::{PeeringOptions, RegionOptions};
pub use store::{OwnRecord, PeerRecord};

use crate::Failure;
use crate::stack::Stack;

/// How often cards that were added on another node are looked for.
const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// The port for peers, bound and ready.
pub struct Peering {
    /// The port.
    pub listener: Listener,
    /// Who is known.
    pub peers: Arc<Peers>,
    /// Who takes what they say.
    pub inbox: Arc<dyn Inbox>,
}

impl Peering {
    /// Serves peers until `stop` turns true.
    pub async fn run(self, database: &Database, stop: watch::Receiver<bool>) {
        let Peering { listener, peers, inbox } = self;
        let (serving, mut stopped) =
            (listener.run(Arc::clone(&peers), inbox, stop.clone()), stop.clone());
        let reloading = async {
            loop {
                tokio::time::sleep(RELOAD_EVERY).await;
                if let Err(error) = reload(&peers, database).await {
                    tracing::warn!(%error, "the cards of peers cannot be read");
                }
            }
        };
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => return,
            () = reloading => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
        serving.await;
    }
}

/// Knows what the operator has added or removed, perhaps on another node.
///
/// # Errors
/// If the store fails.
pub async fn reload(peers: &Peers, database: &Database) -> Result<(), Failure> {
    let known = PeerRecord::known(database, peers.local()).await?;
    let now = peers.all();
    let same = |(one, other): (&Peer, &Arc<Peer>)| {
        one.card == other.card && one.accounts == other.accounts
    };
    if known.len() != now.len() || !known.iter().zip(now.iter()).all(same) {
        peers.replace(known);
    }
    Ok(())
}

/// Where Regions are served, for callers.
struct Map {
    local: BTreeSet<String>,
    peers: Option<Arc<Peers>>,
}

impl Regions for Map {
    fn elsewhere(&self, region: &Region) -> Option<String> {
        if self.local.contains(region.as_str()) {
            return None;
        }
        let known = self.peers.as_ref().and_then(|peers| peers.endpoint(region.as_str()));
        Some(match known {
            Some(endpoint) => format!("at {endpoint}"),
            None => "by no deployment that is known here".to_owned(),
        })
    }
}

/// Makes the services know which Regions are served here, and by whom the others are. Before anything
/// is served. `api` is where this deployment serves the APIs.
///
/// # Errors
/// If the configuration makes no sense, the port cannot be had, or the store fails.
pub async fn start(
    regions: &RegionOptions,
    options: Option<&PeeringOptions>,
    stack: &mut Stack,
    env: &Env,
    api: &str,
) -> Result<Option<Peering>, Failure> {
    let local: BTreeSet<String> = regions.local.iter().map(ToString::to_string).collect();
    let Some(options) = options else {
        if !local.is_empty() {
            stack.kms.serve_only(local.clone());
            stack.router.serve_only(Arc::new(Map { local, peers: None }));
        }
        return Ok(None);
    };
    if local.is_empty() {
        return Err("[peering] needs to know which Regions are served here: [regions] local = [\"eu-west-1\"]".into());
    }
    let stored = OwnRecord::load_or_create(&stack.database, env).await?;
    let identity = stored.identity.clone().open()?;
    let peers = Arc::new(Peers::new(identity, local.clone(), Arc::new(Https)));
    peers.replace(PeerRecord::known(&stack.database, &local).await?);
    let address = options.listen;
    let listener = Listener::bind(address, &peers, Limits::default()).await.map_err(|error| {
        format!("cannot listen on {address} for peers: {error}. peering.listen chooses another")
    })?;
    let own_endpoint = listener.address().to_string();
    let identity = peers.identity();
    let parts = Parts {
        name: &options.name,
        id: &identity.id,
        regions: &local,
        endpoint: options.endpoint.as_deref().unwrap_or(&own_endpoint),
        api: options.api.as_deref().unwrap_or(api),
    };
    let card = Card::new(parts, &identity.certificate, identity.transport_key.public())?;
    stored.keep_card(&stack.database, &card).await?;
    let map = Map { local, peers: Some(Arc::clone(&peers)) };
    stack.router.serve_only(Arc::new(map));
    stack.kms.use_peers(Arc::clone(&peers));
    stack.secrets.use_peers(Arc::clone(&peers));
    let post = inbox::Post::new(stack, env);
    stack.peers = Some(Arc::clone(&peers));
    Ok(Some(Peering { listener, peers, inbox: Arc::new(post) }))
}
