//! What a deployment keeps of a key that others have too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Job, Loaded, Path, Record};
use haechi_peer::message::Beginning;
use haechi_peer::{Peers, Place, SendError};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::material::MaterialRecord;
use crate::store::KeyRecord;

/// The kind of the job that tells a peer the state of a key.
pub(crate) const TELL_PEER: &str = "kms-tell-peer";
/// The kind of the job that tells the primary's deployment how it stands with replicas.
pub(crate) const REPORT_KEY: &str = "kms-report-key";

/// What will not go now is tried again at the next multiple of this, so that many such jobs of one
/// key become one.
const SLOT_MS: i64 = 500;
/// When a peer that refused, or that is none any more, is told again.
const REFUSED_MS: i64 = 5_000;

/// A key that other deployments have too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinkRecord {
    /// Of the state: the last that was told, or taken.
    pub(crate) version: u64,
    /// The primary's Region in that version.
    pub(crate) primary: String,
    /// By which the same state is known again; of a state that was taken.
    pub(crate) digest: String,
    /// What each peer has confirmed.
    pub(crate) confirmed: BTreeMap<String, u64>,
    /// When the replicas of all Regions came to be.
    pub(crate) births: BTreeMap<String, Birth>,
    /// Births of replicas that were deleted here.
    pub(crate) buried: BTreeMap<String, u64>,
    /// The version that all peers must confirm before a rotation is done.
    pub(crate) awaited: Option<u64>,
    /// The last report of this deployment.
    pub(crate) report: u64,
    /// Whether the report was taken.
    pub(crate) reported: u64,
    /// The last report of each peer.
    pub(crate) reports: BTreeMap<String, u64>,
    /// Material that is there, by Region, as peers report it.
    pub(crate) present: BTreeMap<String, BTreeSet<String>>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// When a replica came to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Birth {
    pub(crate) version: u64,
    /// What it begins with, until its deployment has made it.
    pub(crate) beginning: Option<Beginning>,
}

impl Record for LinkRecord {}

pub(crate) fn link_path(account: &str, key_id: &str) -> Path {
    Path::new("kms-link").part(account).part(key_id)
}

/// The link of a key, as it was read and to be changed, and who the others are.
pub(crate) struct Elsewhere {
    peers: Arc<Peers>,
    path: Path,
    loaded: Option<Loaded<LinkRecord>>,
    pub(crate) link: LinkRecord,
}

impl Elsewhere {
    pub(crate) async fn load(
        database: &Database,
        peers: &Arc<Peers>,
        account: &str,
        key_id: &str,
    ) -> Result<Elsewhere, Fault> {
        let path = link_path(account, key_id);
        let loaded = database.load::<LinkRecord>(&path).await?;
        let link = loaded.as_ref().map(|loaded| loaded.value.clone()).unwrap_or_default();
        Ok(Elsewhere { peers: Arc::clone(peers), path, loaded, link })
    }

    /// Whether there is a link already.
    pub(crate) fn is_known(&self) -> bool {
        self.loaded.is_some()
    }

    /// Who serves a Region.
    pub(crate) fn place(&self, region: &str) -> Place {
        self.peers.place(region)
    }

    pub(crate) fn peers(&self) -> &Arc<Peers> {
        &self.peers
    }

    /// The peers that serve Regions of a key.
    pub(crate) fn sharers(&self, key: &KeyRecord) -> BTreeSet<String> {
        let regions = key.multi_region.iter().flat_map(|at| at.regions());
        let peer = |region: &String| match self.peers.place(region) {
            Place::Peer(id) => Some(id),
            Place::Here | Place::Nowhere => None,
        };
        regions.filter_map(peer).collect()
    }

    fn is_authority(&self, key: &KeyRecord) -> bool {
        key.multi_region.as_ref().is_some_and(|at| self.peers.place(&at.primary) == Place::Here)
    }

    /// Before material is added that no Region elsewhere has: whether it must wait for them.
    pub(crate) fn await_confirmation(&mut self, key: &KeyRecord) -> bool {
        let waits = !self.sharers(key).is_empty();
        if waits {
            self.link.awaited = Some(self.link.version + 1);
        }
        waits
    }

    /// Whether a Region elsewhere does not have imported material, as far as it has reported.
    pub(crate) fn lacks(&self, key: &KeyRecord, material_id: &str) -> bool {
        let regions = key.multi_region.iter().flat_map(|at| at.regions());
        let mut elsewhere = regions.filter(|region| self.peers.place(region) != Place::Here);
        elsewhere.any(|region| {
            let present = self.link.present.get(region);
            present.is_none_or(|present| !present.contains(material_id))
        })
    }

    /// Tells the others that a key has changed: its state, if the primary is here, else a report.
    pub(crate) fn tell(&mut self, key: &KeyRecord, now: Timestamp, batch: &mut Batch) {
        if self.is_authority(key) {
            if self.is_known() || !self.sharers(key).is_empty() {
                self.share(key, now, batch);
            }
        } else if self.is_known() {
            self.link.report += 1;
            batch.schedule(&report_job(key, now));
            self.save(batch);
        }
    }

    /// Raises the version, and tells everybody who serves a Region of the key.
    pub(crate) fn share(&mut self, key: &KeyRecord, now: Timestamp, batch: &mut Batch) {
        self.link.version += 1;
        if let Some(at) = &key.multi_region {
            self.link.primary.clone_from(&at.primary);
        }
        for peer in self.sharers(key) {
            batch.schedule(&tell_job(&key.account, &key.id, &peer, now));
        }
        self.save(batch);
    }

    /// Writes the link.
    pub(crate) fn save(&self, batch: &mut Batch) {
        match &self.loaded {
            Some(loaded) => batch.replace(loaded, &self.link),
            None => batch.create(self.path.clone(), &self.link),
        }
    }

    /// Notes that a key of this deployment is deleted.
    pub(crate) fn bury(&mut self, key: &KeyRecord) {
        if let Some(birth) = self.link.births.get(&key.region) {
            self.link.buried.insert(key.region.clone(), birth.version);
        }
    }

    /// What all peers have confirmed becomes current, in all rows. Answers whether anything did.
    pub(crate) fn finish_rotation<'a>(
        &mut self,
        sharers: &BTreeSet<String>,
        keys: impl Iterator<Item = &'a mut KeyRecord>,
    ) -> bool {
        let Some(awaited) = self.link.awaited else { return false };
        let confirmed = |peer| self.link.confirmed.get(peer).copied().unwrap_or(0) >= awaited;
        if !sharers.iter().all(confirmed) {
            return false;
        }
        self.link.awaited = None;
        let waiting = |row: &&mut MaterialRecord| row.awaits.is_some();
        for row in keys.flat_map(|key| &mut key.materials).filter(waiting) {
            row.pending = false;
            row.rotated = row.awaits.take();
            tracing::info!(material = row.id, "all Regions have new key material: it is in use");
        }
        true
    }
}

/// At once; but after a job of the same name that is running now and writes this one.
fn soon(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_add(1))
}

/// The job that tells a peer.
pub(crate) fn tell_job(account: &str, key_id: &str, peer: &str, now: Timestamp) -> Job {
    let id = format!("{key_id}-{peer}");
    Job::new(TELL_PEER, &id, soon(now), format!("{account}/{key_id}/{peer}"))
}

/// The job that reports to the primary's deployment.
pub(crate) fn report_job(key: &KeyRecord, now: Timestamp) -> Job {
    Job::new(REPORT_KEY, &key.id, soon(now), format!("{}/{}", key.account, key.id))
}

/// When a job that could not be done is tried again.
pub(crate) fn again(
    job: &Job,
    peers: &Peers,
    peer: &str,
    error: &SendError,
    now: Timestamp,
) -> Job {
    let wait_ms = match error {
        SendError::Unknown | SendError::Refused(_) => now.millis().saturating_add(REFUSED_MS),
        SendError::BackingOff | SendError::Unreachable(_) => {
            peers.silent_until(peer).unwrap_or(now.millis())
        }
    };
    let slot = wait_ms.max(now.millis()).div_euclid(SLOT_MS) + 1;
    Job { due_ms: slot * SLOT_MS, ..job.clone() }
}
