//! Who serves which Region, and what a service needs to talk to the others.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use haechi_crypto::{CryptoError, Route, TransportKey, TransportPublicKey};

use crate::card::{Card, CardError};
use crate::identity::Identity;
use crate::message::{Refusal, Subject};

/// How long a peer that did not answer is left alone, at first and at most, in milliseconds.
const BACK_OFF_MS: i64 = 500;
const BACK_OFF_MS_MAX: i64 = 8_000;

/// Another deployment.
pub struct Peer {
    /// Its card.
    pub card: Card,
    /// Accounts that it may share something of; `None` is all.
    pub accounts: Option<BTreeSet<String>>,
    certificate: Vec<u8>,
    transport_key: TransportPublicKey,
}

impl Peer {
    /// The deployment of a card.
    ///
    /// # Errors
    /// If the card is damaged.
    pub fn new(card: Card, accounts: Option<BTreeSet<String>>) -> Result<Peer, CardError> {
        let (certificate, transport_key) = (card.certificate()?, card.transport_key()?);
        Ok(Peer { card, accounts, certificate, transport_key })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.card.id
    }

    /// Its certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Whether something of an account may be shared with it.
    pub fn shares(&self, account: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
    }
}

/// Who serves a Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This deployment.
    Here,
    /// The one with this id.
    Peer(String),
    /// Nobody that is known.
    Nowhere,
}

/// Why a peer did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It is not among the peers any more.
    #[error("there is no such peer: haechi peer list")]
    Unknown,
    /// It did not answer lately, and is left alone for a moment.
    #[error("the peer did not answer a moment ago")]
    BackingOff,
    /// It does not answer.
    #[error("the peer does not answer: {0}")]
    Unreachable(String),
    /// It answered that it will not, now.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
}

/// What carries messages to peers.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a message, answers the answer.
    ///
    /// # Errors
    /// Why there is none.
    async fn send(
        &self,
        own: &Identity,
        peer: &Peer,
        subject: Subject,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, SendError>;
}

/// A peer that does not answer.
#[derive(Clone, Copy)]
struct Silence {
    failures: u32,
    until_ms: i64,
}

/// The deployments that this one knows.
pub struct Peers {
    identity: Identity,
    /// The Regions that are served here.
    local: BTreeSet<String>,
    known: ArcSwap<Vec<Arc<Peer>>>,
    transport: Arc<dyn Transport>,
    silent: Mutex<HashMap<String, Silence>>,
}

impl Peers {
    /// A deployment that serves these Regions, and knows nobody yet.
    pub fn new(
        identity: Identity,
        local: BTreeSet<String>,
        transport: Arc<dyn Transport>,
    ) -> Peers {
        let (known, silent) = (ArcSwap::default(), Mutex::default());
        Peers { identity, local, known, transport, silent }
    }

    /// This deployment's own identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The Regions that are served here.
    pub fn local(&self) -> &BTreeSet<String> {
        &self.local
    }

    /// Knows these from now on, and nobody else.
    pub fn replace(&self, peers: Vec<Peer>) {
        self.known.store(Arc::new(peers.into_iter().map(Arc::new).collect()));
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All of them.
    pub fn all(&self) -> Arc<Vec<Arc<Peer>>> {
        self.known.load_full()
    }

    /// The one with an id.
    pub fn by_id(&self, id: &str) -> Option<Arc<Peer>> {
        self.known.load().iter().find(|peer| peer.id() == id).cloned()
    }

    /// The one with a certificate.
    pub fn by_certificate(&self, certificate: &[u8]) -> Option<Arc<Peer>> {
        self.known.load().iter().find(|peer| peer.certificate == certificate).cloned()
    }

    /// Who serves a Region.
    pub fn place(&self, region: &str) -> Place {
        if self.local.contains(region) {
            return Place::Here;
        }
        let known = self.known.load();
        let found = known.iter().find(|peer| peer.card.regions.contains(region));
        found.map_or(Place::Nowhere, |peer| Place::Peer(peer.id().to_owned()))
    }

    /// Where the APIs of a Region are served, if elsewhere and known.
    pub fn endpoint(&self, region: &str) -> Option<String> {
        let known = self.known.load();
        let found = known.iter().find(|peer| peer.card.regions.contains(region));
        found.map(|peer| peer.card.api.clone())
    }

    /// The route of what this deployment seals for a peer.
    pub fn route_to<'a>(&'a self, peer: &'a Peer) -> Route<'a> {
        Route { from: &self.identity.id, to: peer.id() }
    }

    /// The route of what a peer has sealed for this deployment.
    pub fn route_from<'a>(&'a self, peer: &'a str) -> Route<'a> {
        Route { from: peer, to: &self.identity.id }
    }

    /// Opens what peers have sealed.
    pub fn transport_key(&self) -> &TransportKey {
        &self.identity.transport_key
    }

    /// Seals a secret for a peer.
    ///
    /// # Errors
    /// If its key is none, or randomness fails.
    pub fn seal(&self, peer: &Peer, what: &[u8], secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
        peer.transport_key.seal(self.route_to(peer), what, secret)
    }

    /// Sends a message. A peer that did not answer lately is not asked.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(
        &self,
        peer: &str,
        subject: Subject,
        body: Vec<u8>,
        now_ms: i64,
    ) -> Result<Vec<u8>, SendError> {
        let Some(known) = self.by_id(peer) else { return Err(SendError::Unknown) };
        if self.silent_until(peer).is_some_and(|until_ms| now_ms < until_ms) {
            return Err(SendError::BackingOff);
        }
        let outcome = self.transport.send(&self.identity, &known, subject, body).await;
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Err(SendError::Unreachable(why)) => {
                let failures = silent.get(peer).map_or(0, |silence| silence.failures);
                if failures == 0 {
                    tracing::warn!(peer = known.card.name, why, "a peer does not answer");
                }
                let wait_ms = (BACK_OFF_MS << failures.min(8)).min(BACK_OFF_MS_MAX);
                let until_ms = now_ms.saturating_add(wait_ms);
                let failures = failures.saturating_add(1);
                silent.insert(peer.to_owned(), Silence { failures, until_ms });
            }
            _ => {
                if silent.remove(peer).is_some() {
                    tracing::info!(peer = known.card.name, "a peer answers again");
                }
            }
        }
        outcome
    }

    /// When a peer that does not answer is asked again; milliseconds since the epoch.
    pub fn silent_until(&self, peer: &str) -> Option<i64> {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.get(peer).map(|silence| silence.until_ms)
    }
}

impl Peer {
    /// To which secrets for it are sealed.
    pub fn transport_key(&self) -> &TransportPublicKey {
        &self.transport_key
    }
}
