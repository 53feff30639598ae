//! Replicas in Regions that another deployment serves.
//!
//! The primary's deployment tells what a replica is to be, with a version, until it is confirmed
//! (`tell.rs`); the other one makes it so, under its own Region's KMS key (`take.rs`). Neither waits
//! for the other: meanwhile the status says `InProgress`. A replica that was promoted or removed has
//! left: its birth is kept, so that no message that is late makes it again.
//!
//! ```text
//! /secretsmanager-told/<account>/<Region>/<key>/<hidden version>   ToldValue: a value on its way
//! /secretsmanager-removal/<account>/<Region>/<key>                 Removal: a replica to be removed
//! /secretsmanager-left/<account>/<Region>/<key>                    Left: of which birth it was
//! ```
//! A value is sealed for the other deployment in the call that brings it, in its caller's name: so
//! the service needs no leave of its own to read it later, and nothing of it lies in the open.

mod take;
mod tell;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Job, Path, Record};
use haechi_peer::{Peer, Peers, Place};
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::replica::{Replica, Status};
use crate::secret::{SecretRecord, Version};
use crate::value::Plain;
use crate::{SecretsManager, words};

pub(crate) use tell::{LEFT, TELL, TellReplica};

/// The other deployments, once they are known.
#[derive(Clone, Default)]
pub(crate) struct PeerSlot(Arc<OnceLock<Arc<Peers>>>);

impl PeerSlot {
    pub(crate) fn set(&self, peers: Arc<Peers>) {
        self.0.get_or_init(|| peers);
    }

    pub(crate) fn get(&self) -> Option<&Arc<Peers>> {
        self.0.get()
    }

    /// Whether a Region has a place, here or with a peer.
    pub(crate) fn serve(&self, region: &str) -> bool {
        self.get().is_some_and(|peers| peers.place(region) != Place::Nowhere)
    }

    /// The peer that serves a Region, if it is not served here.
    pub(crate) fn of(&self, region: &str, account: &str) -> Result<Option<Arc<Peer>>, Error> {
        let Some(peers) = self.get() else { return Ok(None) };
        let found = match peers.place(region) {
            Place::Here => return Ok(None),
            Place::Peer(id) => peers.by_id(&id).filter(|peer| peer.shares(account)),
            Place::Nowhere => None,
        };
        found.map(Some).ok_or_else(|| {
            words::parameter(format!(
                "Region {region} is served neither here nor by a peer that shares account {account}."
            ))
        })
    }
}

/// What the primary's deployment knows of a replica elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// The version in which it was asked for.
    pub(crate) born: u64,
    /// The version that it is to have.
    pub(crate) version: u64,
    /// The version that it has.
    pub(crate) confirmed: u64,
    /// Versions of the secret whose values are on their way.
    pub(crate) told: BTreeSet<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// What a replica knows of its primary elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Followed {
    pub(crate) born: u64,
    pub(crate) version: u64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A value on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ToldValue {
    /// For the other deployment.
    #[serde(with = "haechi_core::database::bytes")]
    pub(crate) sealed: Vec<u8>,
    pub(crate) is_binary: bool,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A replica that is to be removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Removal {
    pub(crate) born: u64,
    pub(crate) version: u64,
    pub(crate) name: String,
    pub(crate) suffix: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A replica that is none any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) born: u64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ToldValue {}
impl Record for Removal {}
impl Record for Left {}

/// A secret in a Region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) key: &'a str,
}

impl Spot<'_> {
    fn path(&self, kind: &str) -> Path {
        Path::new(kind).part(self.account).part(self.region).part(self.key)
    }

    fn told(&self, version: &str) -> Path {
        self.path("secretsmanager-told").hidden(version)
    }

    pub(crate) fn removal(&self) -> Path {
        self.path("secretsmanager-removal")
    }

    pub(crate) fn left(&self) -> Path {
        self.path("secretsmanager-left")
    }

    /// What a value is sealed as.
    fn sealed_as(&self, version: &str) -> Vec<u8> {
        ["secret-value", self.account, self.region, self.key, version].join("/").into_bytes()
    }
}

/// A job that is due since the beginning of time: however often it is asked for, it is one.
fn at_once(kind: &str, id: &str, payload: String) -> Job {
    Job::new(kind, id, Timestamp::from_millis(0), payload)
}

impl SecretRecord {
    fn spot<'a>(&'a self, region: &'a str) -> Spot<'a> {
        Spot { account: &self.account, region, key: &self.key }
    }

    fn tell_job(&self, region: &str) -> Job {
        let id = format!("{}.{region}.{}", self.account, self.key);
        let payload = format!("{}/{}/{region}/{}", self.account, self.region, self.key);
        at_once(TELL, &id, payload)
    }

    /// Has the replicas elsewhere told of what the secret says now.
    pub(crate) fn tell(&mut self, batch: &mut Batch) {
        let in_step = |replica: &Replica| replica.status != Status::Failed;
        let elsewhere = |replica: &&Replica| replica.elsewhere.is_some() && in_step(replica);
        if !self.replicas.values().any(|replica| elsewhere(&replica)) {
            return;
        }
        self.shared_version += 1;
        let mut told = Vec::new();
        for (region, replica) in &mut self.replicas {
            let followed = in_step(replica);
            if let Some(other) = replica.elsewhere.as_mut().filter(|_| followed) {
                other.version = self.shared_version;
                replica.status = Status::InProgress;
                replica.message = None;
                told.push(region.clone());
            }
        }
        told.iter().for_each(|region| batch.schedule(&self.tell_job(region)));
    }

    /// Has a replica elsewhere removed.
    pub(crate) fn remove_elsewhere(&mut self, region: &str, other: &Elsewhere, batch: &mut Batch) {
        self.shared_version += 1;
        let removal = Removal {
            born: other.born,
            version: self.shared_version,
            name: self.name.clone(),
            suffix: self.suffix.clone(),
            unknown: Unknown::new(),
        };
        self.spot(region).forget(other, batch);
        batch.put(self.spot(region).removal(), &removal);
        batch.schedule(&self.tell_job(region));
    }

    /// Notes that a replica here has become a secret of its own, and has its primary's deployment
    /// told.
    pub(crate) fn leave(&mut self, primary: &str, batch: &mut Batch) {
        let Some(followed) = self.followed.take() else { return };
        let left = Left { born: followed.born, unknown: Unknown::new() };
        let spot = Spot { account: &self.account, region: &self.region, key: &self.key };
        batch.put(spot.left(), &left);
        let id = format!("{}.{}.{}", self.account, self.region, self.key);
        let Spot { account, region, key } = spot;
        let payload = format!("{account}/{primary}/{region}/{key}/{}", followed.born);
        batch.schedule(&at_once(LEFT, &id, payload));
    }
}

impl Spot<'_> {
    /// Deletes the values that are on their way.
    pub(crate) fn forget(&self, other: &Elsewhere, batch: &mut Batch) {
        for version in &other.told {
            batch.delete(self.told(version));
        }
    }
}

impl SecretsManager {
    /// Seals a value for the deployment of a replica, and puts it on its way.
    pub(crate) fn send_value(
        &self,
        peer: &Peer,
        spot: Spot<'_>,
        (version, plain): (&str, &Plain),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let Some(peers) = self.peers.get() else { return Err(Fault::internal("no peering")) };
        let sealed = peers.seal(peer, &spot.sealed_as(version), plain.bytes());
        let (sealed, is_binary) = (sealed.map_err(Fault::internal)?, plain.is_binary());
        batch.put(spot.told(version), &ToldValue { sealed, is_binary, unknown: Unknown::new() });
        Ok(())
    }

    /// Puts a new version's value on its way to all replicas elsewhere that are in step.
    pub(crate) fn send_to_all(
        &self,
        record: &mut SecretRecord,
        version: &str,
        plain: &Plain,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let (account, key) = (record.account.clone(), record.key.clone());
        for (region, replica) in &mut record.replicas {
            if replica.elsewhere.is_none() || replica.status == Status::Failed {
                continue;
            }
            let peer = match self.peers.of(region, &account) {
                Ok(Some(peer)) => peer,
                Ok(None) => continue,
                // Its deployment is no peer any more.
                Err(error) => {
                    replica.fail(error);
                    continue;
                }
            };
            let spot = Spot { account: &account, region, key: &key };
            self.send_value(&peer, spot, (version, plain), batch)?;
            if let Some(other) = &mut replica.elsewhere {
                other.told.insert(version.to_owned());
            }
        }
        Ok(())
    }

    /// A new replica elsewhere: its values go on their way in the caller's name.
    pub(crate) async fn begin_elsewhere(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        (region, peer): (&str, &Peer),
        batch: &mut Batch,
    ) -> Result<Elsewhere, Error> {
        let mut told = BTreeSet::new();
        let wanted = |version: &Version| !version.stages.is_empty() && !version.is_empty;
        for (id, _) in record.versions.iter().filter(|(_, version)| wanted(version)) {
            let plain = self.open(cx, record, id).await?;
            self.send_value(peer, record.spot(region), (id, &plain), batch)?;
            told.insert(id.clone());
        }
        batch.delete(record.spot(region).removal());
        let born = record.shared_version + 1;
        Ok(Elsewhere { born, version: born, confirmed: 0, told, unknown: Unknown::new() })
    }
}
