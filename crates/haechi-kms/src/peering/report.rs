//! Reports of replicas to the deployment of their primary: which there are, with which material.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler};
use haechi_peer::message::{KeyReport, ReplicaReport, write};
use haechi_peer::{Peer, Place, Refusal, Subject};
use haechi_wire::{Fault, Timestamp};

use super::link::{Elsewhere, LinkRecord, again};
use super::tell::{TellPeer, settle};
use super::{ATTEMPTS, NotTaken, outcome};
use crate::Kms;
use crate::jobs::replica_gone;
use crate::multi_region::Sibling;
use crate::store::KeyRecord;

/// Reports.
pub(crate) struct ReportKey(pub(crate) TellPeer);

/// How it stands with the Regions of a key that are served here.
pub(crate) fn report<'a>(
    (account, key_id): (&str, &str),
    link: &LinkRecord,
    keys: impl Iterator<Item = &'a KeyRecord>,
) -> KeyReport {
    let mut replicas = BTreeMap::new();
    for (region, born) in &link.buried {
        let gone = ReplicaReport { born: *born, gone: true, present: BTreeSet::new() };
        replicas.insert(region.clone(), gone);
    }
    for key in keys {
        let born = link.births.get(&key.region).map_or(0, |birth| birth.version);
        let here = key.materials.iter().filter(|row| row.is_present());
        let present = here.map(|row| row.id.clone()).collect();
        replicas.insert(key.region.clone(), ReplicaReport { born, gone: false, present });
    }
    let (account, key_id) = (account.to_owned(), key_id.to_owned());
    KeyReport { account, key_id, report: link.report, replicas }
}

#[async_trait]
impl JobHandler for ReportKey {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let (mut batch, telling) = (Batch::new(), &self.0);
        let Some((account, key_id)) = job.payload.split_once('/') else {
            return Err(Fault::internal(format!("a job without a key: {}", job.id)));
        };
        let Some(peers) = telling.peers.get() else {
            batch.schedule(&Job { due_ms: now.plus_seconds(60).millis(), ..job.clone() });
            return Ok(batch);
        };
        let mut elsewhere = Elsewhere::load(&telling.database, peers, account, key_id).await?;
        let link = &elsewhere.link;
        // Told with an answer meanwhile; or the primary is here now.
        let Place::Peer(peer) = peers.place(&link.primary) else { return Ok(batch) };
        if link.reported >= link.report {
            return Ok(batch);
        }
        let rows = telling.rows(peers, account, key_id).await?;
        let told = report((account, key_id), link, rows.iter().map(|(_, key)| key));
        let body = write(&told).map_err(Fault::internal)?;
        match peers.send(&peer, Subject::KeyReport, body, now.millis()).await {
            Err(error) => {
                tracing::debug!(key = key_id, peer, %error, "replicas were not reported");
                batch.schedule(&again(job, peers, &peer, &error, now));
            }
            Ok(_) => {
                elsewhere.link.reported = told.report;
                elsewhere.save(&mut batch);
            }
        }
        Ok(batch)
    }
}

/// Notes the report of a peer. Answers whether a replica has gone, so that the key has changed.
pub(crate) fn note(
    elsewhere: &mut Elsewhere,
    peer: &str,
    report: &KeyReport,
    rows: &mut [Sibling],
    now: Timestamp,
    batch: &mut Batch,
) -> bool {
    if elsewhere.link.reports.get(peer).is_some_and(|last| *last > report.report) {
        return false;
    }
    elsewhere.link.reports.insert(peer.to_owned(), report.report);
    let mut changed = false;
    for (region, replica) in &report.replicas {
        let theirs = elsewhere.place(region) == Place::Peer(peer.to_owned());
        let born = elsewhere.link.births.get(region).map(|birth| birth.version);
        if !theirs || born != Some(replica.born) {
            continue;
        }
        if replica.gone {
            elsewhere.link.births.remove(region);
            elsewhere.link.present.remove(region);
            replica_gone(region, rows, now, batch);
            changed = true;
            tracing::info!(key = report.key_id, region, "a replica elsewhere was deleted");
        } else {
            elsewhere.link.present.insert(region.clone(), replica.present.clone());
        }
    }
    changed
}

impl Kms {
    /// Takes the report of a peer on its replicas of a key whose primary is here.
    ///
    /// # Errors
    /// Why not.
    pub async fn take_key_report(&self, from: &Peer, report: &KeyReport) -> Result<(), Refusal> {
        for _ in 1..ATTEMPTS {
            match self.take_report(from, report).await {
                Err(NotTaken::Fault(Fault::Conflict)) => tokio::task::yield_now().await,
                taken => return outcome(taken),
            }
        }
        outcome(self.take_report(from, report).await)
    }

    async fn take_report(&self, from: &Peer, report: &KeyReport) -> Result<(), NotTaken> {
        let Some(peers) = self.peers.get() else { return Err(Refusal::new("no peering").into()) };
        let (database, slot) = (self.database.clone(), self.peers.clone());
        let telling = TellPeer { database, peers: slot };
        let (account, key_id) = (&report.account, &report.key_id);
        let mut elsewhere = Elsewhere::load(&self.database, peers, account, key_id).await?;
        let mut rows = telling.rows(peers, account, key_id).await?;
        // Deleted long ago: there is nobody to tell it to.
        if !elsewhere.is_known() || rows.is_empty() {
            return Ok(());
        }
        if elsewhere.place(&elsewhere.link.primary) != Place::Here {
            return Err(Refusal::new("the primary of this key is not here").into());
        }
        let (now, mut batch) = (self.env.now(), Batch::new());
        let changed = note(&mut elsewhere, from.id(), report, &mut rows, now, &mut batch);
        settle(elsewhere, rows, changed, now, &mut batch);
        self.database.commit(batch).await?;
        Ok(())
    }
}
