//! Tells a peer the state of a key, until it has confirmed it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler};
use haechi_crypto::{KeyMaterial, Route};
use haechi_peer::message::{
    KeyReplica, KeyReport, KeyRotation, KeyState, Material, MaterialRotation, Sealed, parse, write,
};
use haechi_peer::{Peer, Peers, Place, Refusal, SendError, Subject};
use haechi_wire::{Fault, Timestamp};

use super::link::{Elsewhere, again};
use super::report::note;
use super::{PeerSlot, fingerprint_of};
use crate::material::{MaterialRecord, binding};
use crate::multi_region::Sibling;
use crate::store::{KeyRecord, key_path};

/// Tells peers.
#[derive(Clone)]
pub(crate) struct TellPeer {
    pub(crate) database: Arc<Database>,
    pub(crate) peers: PeerSlot,
}

impl TellPeer {
    /// The rows of a key in all Regions that are served here.
    pub(crate) async fn rows(
        &self,
        peers: &Peers,
        account: &str,
        key_id: &str,
    ) -> Result<Vec<Sibling>, Fault> {
        let mut rows = Vec::new();
        for region in peers.local() {
            let path = key_path(account, region, key_id);
            if let Some(row) = self.database.load::<KeyRecord>(&path).await? {
                let record = row.value.clone();
                rows.push((row, record));
            }
        }
        Ok(rows)
    }
}

#[async_trait]
impl JobHandler for TellPeer {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut parts = job.payload.split('/');
        let (Some(account), Some(key_id), Some(id)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::internal(format!("a job without a key: {}", job.id)));
        };
        let Some(peers) = self.peers.get() else {
            // Peering was turned off; what is to be told is kept.
            batch.schedule(&Job { due_ms: now.plus_seconds(60).millis(), ..job.clone() });
            return Ok(batch);
        };
        let mut elsewhere = Elsewhere::load(&self.database, peers, account, key_id).await?;
        let version = elsewhere.link.version;
        if elsewhere.link.confirmed.get(id).copied().unwrap_or(0) >= version {
            return Ok(batch);
        }
        let mut rows = self.rows(peers, account, key_id).await?;
        let Some((_, key)) = rows.first() else { return Ok(batch) };
        let told = match peers.by_id(id) {
            None => Err(SendError::Unknown),
            Some(peer) => {
                let state = self.state(peers, &peer, key, &elsewhere)?;
                tell(peers, id, &state, now).await
            }
        };
        match told {
            Err(error) => {
                tracing::debug!(key = key_id, peer = id, %error, "a peer was not told of a key");
                batch.schedule(&again(job, peers, id, &error, now));
                // A deployment that is no peer any more is not waited for.
                if error == SendError::Unknown && elsewhere.link.awaited.is_some() {
                    settle(elsewhere, rows, false, now, &mut batch);
                }
            }
            Ok(report) => {
                elsewhere.link.confirmed.insert(id.to_owned(), version);
                confirm_births(&mut elsewhere, id);
                let changed = note(&mut elsewhere, id, &report, &mut rows, now, &mut batch);
                settle(elsewhere, rows, changed, now, &mut batch);
            }
        }
        Ok(batch)
    }
}

/// What a peer has confirmed need not be told how it began.
fn confirm_births(elsewhere: &mut Elsewhere, peer: &str) {
    let theirs = |region: &str| elsewhere.place(region) == Place::Peer(peer.to_owned());
    let regions: Vec<String> =
        elsewhere.link.births.keys().filter(|region| theirs(region)).cloned().collect();
    for region in regions {
        if let Some(birth) = elsewhere.link.births.get_mut(&region) {
            birth.beginning = None;
        }
    }
}

/// Writes what a confirmation or a report has brought: the link, and where a rotation is done or a
/// replica has gone (`changed`), the rows and a new version.
pub(crate) fn settle(
    mut elsewhere: Elsewhere,
    mut rows: Vec<Sibling>,
    changed: bool,
    now: Timestamp,
    batch: &mut Batch,
) {
    let sharers = rows.first().map(|(_, key)| elsewhere.sharers(key)).unwrap_or_default();
    let keys = rows.iter_mut().map(|(_, key)| key);
    let finished = elsewhere.finish_rotation(&sharers, keys);
    if !finished && !changed {
        elsewhere.save(batch);
        return;
    }
    for (row, key) in &rows {
        batch.replace(row, key);
    }
    match rows.first() {
        Some((_, key)) => elsewhere.share(key, now, batch),
        None => elsewhere.save(batch),
    }
}

async fn tell(
    peers: &Peers,
    peer: &str,
    state: &KeyState,
    now: Timestamp,
) -> Result<KeyReport, SendError> {
    let body = write(state).map_err(SendError::Refused)?;
    let answer = peers.send(peer, Subject::KeyState, body, now.millis()).await?;
    let report: KeyReport = parse(&answer).map_err(SendError::Refused)?;
    if report.account != state.account || report.key_id != state.key_id {
        return Err(SendError::Refused(Refusal::new("it answered of another key")));
    }
    Ok(report)
}

impl TellPeer {
    /// The state of a key for a peer, its material sealed for that one.
    fn state(
        &self,
        peers: &Peers,
        peer: &Peer,
        key: &KeyRecord,
        elsewhere: &Elsewhere,
    ) -> Result<KeyState, Fault> {
        let Some(at) = &key.multi_region else {
            return Err(Fault::internal(format!("{} is told and has one Region", key.arn)));
        };
        let link = &elsewhere.link;
        let replica = |region: &String| {
            let birth = link.births.get(region).cloned().unwrap_or_default();
            let theirs = elsewhere.place(region) == Place::Peer(peer.id().to_owned());
            let beginning = birth.beginning.filter(|_| theirs);
            (region.clone(), KeyReplica { born: birth.version, beginning })
        };
        let replicas: BTreeMap<_, _> = at.replicas.iter().map(replica).collect();
        let sealed = key.materials.iter().map(|row| self.material(peers, peer, key, row));
        Ok(KeyState {
            account: key.account.clone(),
            key_id: key.id.clone(),
            spec: key.spec.clone(),
            usage: key.usage.clone(),
            origin: key.origin.clone(),
            version: link.version,
            primary: at.primary.clone(),
            replicas,
            rotation: key.rotation.as_ref().map(|rotation| KeyRotation {
                period_days: rotation.period_days,
                next_ms: rotation.next_ms,
            }),
            materials: sealed.collect::<Result<_, _>>()?,
        })
    }

    fn material(
        &self,
        peers: &Peers,
        peer: &Peer,
        key: &KeyRecord,
        row: &MaterialRecord,
    ) -> Result<Material, Fault> {
        let (route, context): (Route<'_>, _) = (peers.route_to(peer), binding(key, &row.id));
        let to = peer.transport_key();
        let sealed = match &row.imported {
            Some(imported) => {
                let what = fingerprint_of(&context);
                to.seal(route, &what, &imported.fingerprint).map_err(Fault::internal)?
            }
            None => {
                let keyring = self.database.keyring();
                let secret = KeyMaterial::unwrap(&keyring, &context, &row.token);
                let secret = secret.map_err(Fault::internal)?;
                secret.send(to, route, &context).map_err(Fault::internal)?
            }
        };
        let rotated = row
            .rotated
            .as_ref()
            .map(|rotated| MaterialRotation { at_ms: rotated.at_ms, on_demand: rotated.on_demand });
        Ok(Material {
            id: row.id.clone(),
            handle: crate::store::hex(&row.handle),
            created_ms: row.created_ms,
            pending: row.pending,
            rotated,
            sealed: Sealed(sealed),
        })
    }
}
