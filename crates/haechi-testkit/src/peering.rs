//! Two deployments and a network between them that a test cuts, and on which it repeats and delays
//! what was said.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use haechi_crypto::SystemRandom;
use haechi_peer::card::{Card, Parts};
use haechi_peer::identity::{StoredIdentity, Validity};
use haechi_peer::{Identity, Inbox, Peer, Peers, SendError, Subject, Transport};

/// Something that went over a wire.
#[derive(Clone)]
pub struct Said {
    /// Id of the deployment that it is for.
    pub to: String,
    /// What it is about.
    pub subject: Subject,
    /// The message.
    pub body: Vec<u8>,
}

/// How messages reach a deployment.
struct Door {
    inbox: Weak<dyn Inbox>,
    sender: Peer,
}

/// A network between two deployments.
#[derive(Default)]
pub struct Wire {
    doors: Mutex<Vec<(String, Arc<Door>)>>,
    /// Whether nothing arrives.
    pub is_cut: AtomicBool,
    /// Whether messages arrive, and their answers are lost.
    pub loses_answers: AtomicBool,
    said: Mutex<Vec<Said>>,
}

impl Wire {
    /// Everything that went over it.
    pub fn said(&self) -> Vec<Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cuts it, or mends it.
    pub fn cut(&self, cut: bool) {
        self.is_cut.store(cut, Ordering::SeqCst);
    }

    /// Lets messages for a deployment reach an inbox.
    pub fn lead_to(&self, id: &str, inbox: &Arc<dyn Inbox>, sender: Peer) {
        let door = Arc::new(Door { inbox: Arc::downgrade(inbox), sender });
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        doors.push((id.to_owned(), door));
    }

    /// Delivers a message, perhaps once more.
    ///
    /// # Errors
    /// If it is refused, or nobody is there.
    pub async fn deliver(&self, said: &Said) -> Result<Vec<u8>, SendError> {
        let door = {
            let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
            doors.iter().find(|(id, _)| *id == said.to).map(|(_, door)| Arc::clone(door))
        };
        let nobody = || SendError::Unreachable("nobody is there".to_owned());
        let door = door.ok_or_else(nobody)?;
        let inbox = door.inbox.upgrade().ok_or_else(nobody)?;
        if said.subject == Subject::Ping {
            return Ok(Vec::new());
        }
        inbox.take(&door.sender, said.subject, &said.body).await.map_err(SendError::Refused)
    }
}

/// One end of a wire.
struct End(Arc<Wire>);

#[async_trait]
impl Transport for End {
    async fn send(
        &self,
        _: &Identity,
        peer: &Peer,
        subject: Subject,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, SendError> {
        let lost = || Err(SendError::Unreachable("the wire is cut".to_owned()));
        if self.0.is_cut.load(Ordering::SeqCst) {
            return lost();
        }
        let said = Said { to: peer.id().to_owned(), subject, body };
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner).push(said.clone());
        let answer = self.0.deliver(&said).await;
        if self.0.loses_answers.load(Ordering::SeqCst) { lost() } else { answer }
    }
}

/// A deployment of a test, and how the other one knows it.
pub struct Ready {
    /// For its services.
    pub peers: Arc<Peers>,
    /// How the other one knows it.
    pub known_as: Peer,
}

fn identity() -> Identity {
    let validity = Validity { from: (2020, 1, 1), until: (2120, 1, 1) };
    let stored = StoredIdentity::generate(&SystemRandom::new(), validity).expect("randomness");
    stored.open().expect("an identity")
}

fn peer(identity: &Identity, region: &str) -> Peer {
    let regions = BTreeSet::from([region.to_owned()]);
    let (id, name) = (identity.id.as_str(), region);
    let parts = Parts { name, id, regions: &regions, endpoint: "a:1", api: "https://a:1" };
    let card = Card::new(parts, &identity.certificate, identity.transport_key.public());
    Peer::new(card.expect("a card"), None).expect("a peer")
}

/// The same peer again.
pub fn again(peer: &Peer) -> Peer {
    Peer::new(peer.card.clone(), None).expect("a peer")
}

/// Two deployments that serve a Region each, know each other, and have no inboxes yet.
pub fn two(wire: &Arc<Wire>, regions: [&str; 2]) -> [Ready; 2] {
    let identities = regions.map(|_| identity());
    let [one, other] = [0, 1].map(|index| {
        identities.get(index).zip(regions.get(index)).map(|(who, region)| peer(who, region))
    });
    let (one, other) = (one.expect("two"), other.expect("two"));
    let [first, second] = identities;
    let ready = |identity, region: &str, known_as: Peer, knows: &Peer| {
        let local = BTreeSet::from([region.to_owned()]);
        let peers = Arc::new(Peers::new(identity, local, Arc::new(End(Arc::clone(wire)))));
        peers.replace(vec![again(knows)]);
        Ready { peers, known_as }
    };
    let [home, away] = regions;
    let (one_again, other_again) = (again(&one), again(&other));
    [ready(first, home, one, &other_again), ready(second, away, other, &one_again)]
}
