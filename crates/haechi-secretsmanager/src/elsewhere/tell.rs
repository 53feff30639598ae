//! Tells the deployment of a replica what it is to be, until it has confirmed it; and the deployment
//! of a primary that a replica has left.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler};
use haechi_peer::message::{
    Sealed, SecretContent, SecretReport, SecretState, SecretVersion, Standing, parse, write,
};
use haechi_peer::{Peers, Place, Refusal, SendError, Subject};
use haechi_wire::{Fault, Timestamp};

use super::{Elsewhere, PeerSlot, Removal, Spot, ToldValue};
use crate::SecretsManager;
use crate::replica::Status;
use crate::secret::SecretRecord;
use crate::store::secret_path;

/// The kind of the job that tells a replica's deployment.
pub(crate) const TELL: &str = "secretsmanager-tell-peer";
/// The kind of the job that tells a primary's deployment that a replica has left.
pub(crate) const LEFT: &str = "secretsmanager-left";

/// What will not go now is tried again at the next multiple of this.
const SLOT_MS: i64 = 500;
/// When a peer that refused, or that is none any more, is told again.
const REFUSED_MS: i64 = 5_000;

/// Tells the deployments of replicas.
#[derive(Clone)]
pub(crate) struct TellReplica {
    pub(crate) database: Arc<Database>,
    pub(crate) peers: PeerSlot,
}

/// When a job that could not be done is tried again.
fn again(job: &Job, told: Option<(&Peers, &str, &SendError)>, now: Timestamp) -> Job {
    let wait_ms = match told {
        Some((peers, peer, SendError::BackingOff | SendError::Unreachable(_))) => {
            peers.silent_until(peer).unwrap_or(0)
        }
        _ => now.millis().saturating_add(REFUSED_MS),
    };
    let slot = wait_ms.max(now.millis()).div_euclid(SLOT_MS) + 1;
    Job { due_ms: slot * SLOT_MS, ..job.clone() }
}

#[async_trait]
impl JobHandler for TellReplica {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let (mut batch, parts) = (Batch::new(), job.payload.split('/').collect::<Vec<_>>());
        let [account, primary, region, key, rest @ ..] = &*parts else {
            return Err(Fault::internal(format!("a job without a secret: {}", job.id)));
        };
        let spot = Spot { account, region, key };
        let asked = if job.kind == LEFT { primary } else { region };
        let place = self.peers.get().map(|peers| (peers, peers.place(asked)));
        let Some((peers, Place::Peer(peer))) = place else {
            // No peering, or not with that one any more: what is to be told is kept.
            batch.schedule(&again(job, None, now));
            return Ok(batch);
        };
        let told = if job.kind == LEFT {
            let born = rest.first().and_then(|born| born.parse().ok()).unwrap_or(0);
            tell_left(peers, &peer, (spot, born), now).await
        } else {
            self.tell(peers, &peer, (primary, spot), now, &mut batch).await?
        };
        if let Err(error) = told {
            tracing::debug!(key, region, peer, %error, "a peer was not told of a secret");
            batch.schedule(&again(job, Some((peers, &peer, &error)), now));
        }
        Ok(batch)
    }
}

async fn tell_left(
    peers: &Peers,
    peer: &str,
    (spot, born): (Spot<'_>, u64),
    now: Timestamp,
) -> Result<(), SendError> {
    let report = SecretReport {
        account: spot.account.to_owned(),
        key: spot.key.to_owned(),
        region: spot.region.to_owned(),
        born,
        version: 0,
        standing: Standing::Left,
    };
    let body = write(&report).map_err(SendError::Refused)?;
    peers.send(peer, Subject::SecretReport, body, now.millis()).await.map(|_| ())
}

impl TellReplica {
    /// Tells a replica's deployment, and notes in the batch what it answers.
    async fn tell(
        &self,
        peers: &Peers,
        peer: &str,
        (primary, spot): (&str, Spot<'_>),
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Result<(), SendError>, Fault> {
        let path = secret_path(spot.account, primary, spot.key);
        let loaded = self.database.load::<SecretRecord>(&path).await?;
        let other = loaded.as_ref().and_then(|row| row.value.replicas.get(spot.region));
        let other = other.and_then(|replica| replica.elsewhere.clone());
        if let (Some(row), Some(other)) = (&loaded, other) {
            if other.confirmed >= other.version {
                return Ok(Ok(()));
            }
            let state = self.state(&row.value, spot, &other).await?;
            let report = match say(peers, peer, &state, now).await {
                Ok(report) => report,
                Err(error) => return Ok(Err(error)),
            };
            let mut record = row.value.clone();
            note(&mut record, spot, &report, batch);
            batch.replace(row, &record);
            return Ok(Ok(()));
        }
        let Some(removal) = self.database.load::<Removal>(&spot.removal()).await? else {
            return Ok(Ok(()));
        };
        let said = say(peers, peer, &removal_of(&removal.value, primary, spot), now).await;
        Ok(said.map(|_| batch.remove(&removal)))
    }

    /// What a replica is to be.
    async fn state(
        &self,
        record: &SecretRecord,
        spot: Spot<'_>,
        other: &Elsewhere,
    ) -> Result<SecretState, Fault> {
        let mut versions = BTreeMap::new();
        // A version that a rotation function is still to fill is nobody else's matter.
        for (id, version) in record.versions.iter().filter(|(_, version)| !version.is_empty) {
            let told = match other.told.contains(id) {
                true => self.database.load::<ToldValue>(&spot.told(id)).await?,
                false => None,
            };
            let told = told.map(|row| row.value);
            let version = SecretVersion {
                created_ms: version.created_ms,
                stages: version.stages.clone(),
                is_binary: told.as_ref().is_some_and(|told| told.is_binary),
                value: told.map(|told| Sealed(told.sealed)),
            };
            versions.insert(id.clone(), version);
        }
        let replica = record.replicas.get(spot.region);
        let content = SecretContent {
            kms_key_id: replica.and_then(|replica| replica.kms_key_id.clone()),
            overwrite: false,
            description: record.description.clone(),
            kind: record.kind.clone(),
            tags: record.tags.clone(),
            policy: record.policy.clone(),
            created_ms: record.created_ms,
            changed_ms: record.changed_ms,
            deleted_ms: record.deleted_ms,
            deletion_ms: record.deletion_ms,
            versions,
        };
        Ok(SecretState {
            account: spot.account.to_owned(),
            key: spot.key.to_owned(),
            name: record.name.clone(),
            suffix: record.suffix.clone(),
            primary: record.region.clone(),
            region: spot.region.to_owned(),
            born: other.born,
            version: other.version,
            content: Some(content),
        })
    }
}

fn removal_of(removal: &Removal, primary: &str, spot: Spot<'_>) -> SecretState {
    SecretState {
        account: spot.account.to_owned(),
        key: spot.key.to_owned(),
        name: removal.name.clone(),
        suffix: removal.suffix.clone(),
        primary: primary.to_owned(),
        region: spot.region.to_owned(),
        born: removal.born,
        version: removal.version,
        content: None,
    }
}

async fn say(
    peers: &Peers,
    peer: &str,
    state: &SecretState,
    now: Timestamp,
) -> Result<SecretReport, SendError> {
    let body = write(state).map_err(SendError::Refused)?;
    let answer = peers.send(peer, Subject::SecretState, body, now.millis()).await?;
    let report: SecretReport = parse(&answer).map_err(SendError::Refused)?;
    let told = (&state.account, &state.key, &state.region, state.born);
    if (&report.account, &report.key, &report.region, report.born) != told {
        return Err(SendError::Refused(Refusal::new("it answered of another secret")));
    }
    Ok(report)
}

/// Notes how it stands with a replica.
fn note(record: &mut SecretRecord, spot: Spot<'_>, report: &SecretReport, batch: &mut Batch) {
    let Some(replica) = record.replicas.get_mut(spot.region) else { return };
    let Some(other) = replica.elsewhere.as_mut() else { return };
    match &report.standing {
        Standing::InSync if report.version == other.version => {
            spot.forget(other, batch);
            other.told.clear();
            other.confirmed = report.version;
            replica.status = Status::InSync;
            replica.message = None;
        }
        Standing::InSync => {}
        Standing::Failed(message) => {
            replica.status = Status::Failed;
            replica.message = Some(message.clone());
        }
        Standing::Left => {
            spot.forget(other, batch);
            record.replicas.remove(spot.region);
            if record.replicas.is_empty() {
                record.primary_region = None;
            }
        }
    }
}

impl SecretsManager {
    /// Takes a report of a peer: that a replica of a primary here has left.
    ///
    /// # Errors
    /// Why not.
    pub async fn take_secret_report(
        &self,
        from: &haechi_peer::Peer,
        report: &SecretReport,
    ) -> Result<(), Refusal> {
        for _ in 0..super::take::ATTEMPTS {
            match self.take_report(from, report).await {
                Err(super::take::NotTaken::Fault(Fault::Conflict)) => {
                    tokio::task::yield_now().await;
                }
                taken => return super::take::outcome(taken),
            }
        }
        Err(Refusal::new("the secret is being changed all the time"))
    }

    async fn take_report(
        &self,
        from: &haechi_peer::Peer,
        report: &SecretReport,
    ) -> Result<(), super::take::NotTaken> {
        let Some(peers) = self.peers.get() else { return Err(Refusal::new("no peering").into()) };
        let (account, region, key) = (&report.account, &report.region, &report.key);
        if peers.place(region) != Place::Peer(from.id().to_owned()) {
            return Err(Refusal::new("the Region is not yours").into());
        }
        let spot = Spot { account, region, key };
        for primary in peers.local() {
            let path = secret_path(account, primary, key);
            let Some(row) = self.database.load::<SecretRecord>(&path).await? else { continue };
            let other = row.value.replicas.get(region);
            let other = other.and_then(|replica| replica.elsewhere.as_ref());
            let same = other.is_some_and(|other| other.born == report.born);
            if same && report.standing == Standing::Left {
                let (mut batch, mut record) = (Batch::new(), row.value.clone());
                note(&mut record, spot, report, &mut batch);
                batch.replace(&row, &record);
                self.database.commit(batch).await?;
            }
        }
        Ok(())
    }
}
