//! One secret in several Regions.
//!
//! Regions that another deployment serves are told (`elsewhere.rs`). Of those that are served here:
//! a replica is a row of its own, under its Region's KMS key; it changes with its primary, in the
//! same transaction. A Region whose key cannot be used falls behind and says so (`Failed`) until it
//! is replicated to again.
//!
//! Source: User Guide, "Replicate secrets across Regions"; API Reference.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::regions::is_published;
use haechi_core::{Batch, Cx, Region};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::{ReplicaRegionType, ReplicationStatusType, StatusType};
use haechi_wire::{Fault, Problem, Protocol, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ahead::Row;
use crate::draft::Draft;
use crate::elsewhere::Elsewhere;
use crate::name::arn;
use crate::secret::SecretRecord;
use crate::{SecretsManager, vault, words};

/// A Region that a secret is replicated to, as its primary knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(crate) kms_key_id: Option<String>,
    pub(crate) status: Status,
    pub(crate) message: Option<String>,
    /// Of a Region that another deployment serves.
    #[serde(default)]
    pub(crate) elsewhere: Option<Elsewhere>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Regions that are added in one transaction, and removed.
pub(crate) const REGIONS_AT_ONCE: usize = 8;

/// How often adding Regions is decided anew, when something that it relies on has changed.
const ATTEMPTS: u32 = 32;

/// Whether a replica says what its primary says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    /// It does.
    InSync,
    /// It fell behind, or is not there.
    Failed,
    /// Another deployment is being told.
    InProgress,
}

impl Replica {
    /// Notes why the Region fell behind.
    pub(crate) fn fail(&mut self, error: Error) {
        let problem = Problem::from(error);
        let code = problem.code(Protocol::Json11);
        self.status = Status::Failed;
        self.message = Some(format!("{code}: {}", problem.message()));
    }

    /// As answers show it; `row` is the replica itself, where it is here.
    fn shape(&self, region: &str, row: Option<&SecretRecord>) -> ReplicationStatusType {
        // It may have been given another key since.
        let in_sync = row.filter(|_| self.status == Status::InSync);
        let key = in_sync.map_or(&self.kms_key_id, |row| &row.kms_key_id);
        ReplicationStatusType {
            region: Some(region.to_owned()),
            kms_key_id: Some(key.clone().unwrap_or_else(|| vault::MANAGED_ALIAS.to_owned())),
            status: Some(match self.status {
                Status::InSync => StatusType::InSync,
                Status::Failed => StatusType::Failed,
                Status::InProgress => StatusType::InProgress,
            }),
            status_message: match (&self.message, self.status) {
                (Some(message), _) => Some(message.clone()),
                (None, Status::InProgress) => None,
                (None, _) => Some("Replication succeeded".to_owned()),
            },
            last_accessed_date: row.and_then(|row| row.accessed_ms).map(Timestamp::from_millis),
        }
    }
}

impl SecretRecord {
    /// Takes over the primary's versions, but for the values, which are rows of their own: so is
    /// under which key each of them is, and when it was read.
    pub(crate) fn follow_versions(&mut self, primary: &SecretRecord) {
        let mut versions = primary.versions.clone();
        for (id, version) in &mut versions {
            let own = self.versions.get(id).filter(|own| !own.is_empty);
            version.accessed_ms = own.and_then(|own| own.accessed_ms);
            version.kms_key_id.clone_from(own.map_or(&self.kms_key_id, |own| &own.kms_key_id));
        }
        self.versions = versions;
    }

    /// Takes over what the primary says.
    pub(crate) fn follow(&mut self, primary: &SecretRecord) {
        self.follow_versions(primary);
        self.description.clone_from(&primary.description);
        self.tags.clone_from(&primary.tags);
        self.tags_emptied = primary.tags_emptied;
        self.policy.clone_from(&primary.policy);
        self.policy_principals.clone_from(&primary.policy_principals);
        self.changed_ms = primary.changed_ms;
        self.deleted_ms = primary.deleted_ms;
        self.deletion_ms = primary.deletion_ms;
    }

    /// The row of this secret in another Region.
    pub(crate) fn copy_for(&self, region: &Region, kms_key_id: Option<String>) -> SecretRecord {
        let mut copy = self.clone();
        copy.region = region.as_str().to_owned();
        copy.arn = arn(region, &self.account, &self.name, &self.suffix);
        copy.kms_key_id = kms_key_id;
        copy.primary_region = Some(self.region.clone());
        copy.replicas = BTreeMap::new();
        copy.shared_version = 0;
        copy.rotation = None;
        (copy.cross_primary, copy.cross_replicas) = (None, BTreeMap::new());
        copy.accessed_ms = None;
        copy.versions.clear();
        copy.follow(self);
        copy
    }
}

impl SecretsManager {
    /// The Regions asked for; each once, not the secret's own, and none that neither AWS nor the
    /// operator knows.
    pub(crate) fn replica_regions(
        &self,
        own: &str,
        asked: &[ReplicaRegionType],
    ) -> Result<BTreeMap<String, (Region, Option<String>)>, Error> {
        let mut regions = BTreeMap::new();
        let exists = |name: &str| is_published(name) || self.peers.serve(name);
        for replica in asked {
            let name = replica.region.clone().unwrap_or_default();
            let fits = |_: &Region| name != own && exists(&name);
            let Some(region) = Region::parse(&name).filter(fits) else {
                return Err(words::parameter("Invalid replica region."));
            };
            let key = replica.kms_key_id.clone().filter(|key| !key.is_empty());
            if regions.insert(name, (region, key)).is_some() {
                return Err(words::parameter("Every replica region can be given once."));
            }
        }
        Ok(regions)
    }

    /// The replicas of a secret, as answers list them.
    pub(crate) async fn replication_status(
        &self,
        record: &SecretRecord,
    ) -> Result<Option<Vec<ReplicationStatusType>>, Fault> {
        let mut all = Vec::with_capacity(record.replicas.len());
        for (region, replica) in &record.replicas {
            let row = self.ready(&record.account, region, &record.key).await?;
            all.push(replica.shape(region, row.as_ref().map(|row| &row.record)));
        }
        Ok((!all.is_empty()).then_some(all))
    }

    /// Adds Regions to a secret that is saved in the same batch.
    pub(crate) async fn replicate(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        asked: &[ReplicaRegionType],
        overwrite: bool,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let own = draft.record().region.clone();
        let mut values = Vec::new();
        for (name, (region, kms_key_id)) in self.replica_regions(&own, asked)? {
            let known = draft.record().replicas.get(&name).map(|replica| replica.status);
            if matches!(known, Some(Status::InSync | Status::InProgress)) {
                return Err(words::parameter(format!(
                    "The secret is already replicated to Region {name}."
                )));
            }
            let mut state = Replica {
                kms_key_id: kms_key_id.clone(),
                status: Status::InSync,
                message: None,
                elsewhere: None,
                unknown: Unknown::new(),
            };
            let peer = self.peers.of(&name, &draft.record().account)?;
            if let Some(peer) = peer {
                let there = (name.as_str(), &*peer);
                let begun = self.begin_elsewhere(cx, draft.record(), there, batch).await?;
                state.elsewhere = Some(begun);
                state.status = Status::InProgress;
                draft.change().replicas.insert(name, state);
                continue;
            }
            let copy = draft.record().copy_for(&region, kms_key_id);
            if known.is_some() {
                draft.leave_replica(&name);
            } else {
                self.make_way(cx, &copy, overwrite, &mut state, batch).await?;
            }
            if state.status == Status::InSync {
                match self.copy_values(cx, draft.record(), &copy).await {
                    Ok(copied) => {
                        values.extend(copied);
                        copy.put(batch);
                    }
                    Err(error) => state.fail(error),
                }
            }
            draft.change().replicas.insert(name, state);
        }
        // Values of the same versions are the same, whoever writes them.
        self.write_values(&values, batch).await?;
        if !draft.record().replicas.is_empty() {
            draft.change().primary_region = Some(own);
        }
        Ok(())
    }

    /// Adds Regions to a secret that the caller was admitted to, a few with each transaction.
    pub(crate) async fn replicate_further(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        asked: &[ReplicaRegionType],
        overwrite: bool,
    ) -> Result<Option<Vec<ReplicationStatusType>>, Error> {
        let (mut latest, mut attempts) = (record.clone(), 0);
        let mut left = asked;
        while let (some, rest) = left.split_at(left.len().min(REGIONS_AT_ONCE))
            && !some.is_empty()
        {
            let (account, region, key) = (&record.account, &record.region, &record.key);
            let Some(mut draft) = self.draft_at(account, region, key).await? else { break };
            let mut batch = Batch::new();
            self.replicate(cx, &mut draft, some, overwrite, &mut batch).await?;
            draft.write(&mut batch);
            match self.database.commit(batch).await {
                Err(Fault::Conflict) if attempts < ATTEMPTS => attempts += 1,
                Err(fault) => return Err(fault.into()),
                Ok(()) => (left, latest) = (rest, draft.record().clone()),
            }
        }
        Ok(self.replication_status(&latest).await?)
    }

    /// A secret of that name in the replica's Region gives way only if the caller says so.
    async fn make_way(
        &self,
        cx: &Cx,
        copy: &SecretRecord,
        overwrite: bool,
        state: &mut Replica,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let found = self.key_by_name(&copy.account, &copy.region, &copy.name).await?;
        let Some(row) = found else { return Ok(()) };
        let Some(old) = self.draft_at(&copy.account, &copy.region, &row.key).await? else {
            return Ok(());
        };
        if !overwrite || old.record().is_linked() {
            state.status = Status::Failed;
            state.message = Some(format!(
                "Replication failed: Secret name {} already exists in region {}.",
                copy.name, copy.region
            ));
            return Ok(());
        }
        let found = crate::store::Found { secret: old, given: copy.arn.clone() };
        let (old, permit) = crate::authz::admit_action(
            cx,
            "secretsmanager:DeleteSecret",
            haechi_core::Unchecked::new(found),
            crate::authz::Facts::default(),
        )?;
        old.replace(&permit, batch);
        Ok(())
    }

    /// The values of a secret, sealed for another Region, in the caller's name.
    async fn copy_values(
        &self,
        cx: &Cx,
        from: &SecretRecord,
        to: &SecretRecord,
    ) -> Result<Vec<Row>, Error> {
        let mut values = Vec::new();
        for id in from.versions.keys().filter(|id| from.has_value(id)) {
            let plain = self.open(cx, from, id).await?;
            let sealed = self.seal_again(cx, to, id, &plain).await?;
            values.push(Row::new(to, id, sealed.ok_or_else(vault::denied)?));
        }
        Ok(values)
    }
}

/// Makes a replica a secret of its own.
pub(crate) fn promote(replica: &mut SecretRecord, now: Timestamp) {
    replica.primary_region = None;
    replica.changed_ms = now.millis();
}
