//! A secret, its versions and their labels.
//!
//! Source: User Guide, "What's in a secret", "Secret versions"; quotas; recordings.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Cx, PrincipalIds, Record};
use haechi_secretsmanager_model::Error;
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cross_account::{CrossPrimary, CrossReplica};
use crate::elsewhere::Followed;
use crate::replica::Replica;
use crate::rotation::Rotation;
use crate::words;

/// The label of the version that is in use.
pub(crate) const CURRENT: &str = "AWSCURRENT";
/// The label of the version that a rotation makes.
pub(crate) const PENDING: &str = "AWSPENDING";
/// The label of the version that was in use before.
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// Versions of a secret (quota), after which those without labels go.
pub(crate) const VERSIONS_MAX: usize = 100;
/// Labels on all versions of a secret (quota).
pub(crate) const LABELS_MAX: usize = 20;
/// A version without labels is kept so long at least.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// A secret; its values are rows of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretRecord {
    /// As in storage keys: time of creation and the ARN's end.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) suffix: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) description: Option<String>,
    /// As it was given; `None` is the AWS managed key.
    pub(crate) kms_key_id: Option<String>,
    /// `Type`, of managed external secrets.
    pub(crate) kind: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) changed_ms: i64,
    /// Midnight of the day of the last access.
    pub(crate) accessed_ms: Option<i64>,
    /// When its deletion was asked for.
    pub(crate) deleted_ms: Option<i64>,
    /// When it will be gone.
    pub(crate) deletion_ms: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether it had tags and lost them all.
    #[serde(default)]
    pub(crate) tags_emptied: bool,
    pub(crate) policy: Option<String>,
    /// Of the users and roles that the policy names.
    #[serde(default)]
    pub(crate) policy_principals: PrincipalIds,
    pub(crate) versions: BTreeMap<String, Version>,
    pub(crate) rotation: Option<Rotation>,
    /// Of a primary that has replicas, and of a replica.
    pub(crate) primary_region: Option<String>,
    pub(crate) replicas: BTreeMap<String, Replica>,
    /// Grows with each change that a replica elsewhere is told of.
    #[serde(default)]
    pub(crate) shared_version: u64,
    /// The service that made it for a user, and alone changes it.
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// Of a replica whose primary is elsewhere.
    #[serde(default)]
    pub(crate) followed: Option<Followed>,
    /// Of a replica of another account's secret.
    #[serde(default)]
    pub(crate) cross_primary: Option<CrossPrimary>,
    /// Replicas in other accounts, by their ARNs.
    #[serde(default)]
    pub(crate) cross_replicas: BTreeMap<String, CrossReplica>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A version of a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) created_ms: i64,
    pub(crate) accessed_ms: Option<i64>,
    pub(crate) stages: BTreeSet<String>,
    /// The key that protects it, as the secret named it then.
    pub(crate) kms_key_id: Option<String>,
    /// Whether it has no value yet: a rotation function is to give it one.
    #[serde(default)]
    pub(crate) is_empty: bool,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for SecretRecord {}

impl SecretRecord {
    /// The version that has a label.
    pub(crate) fn labelled(&self, stage: &str) -> Option<&str> {
        let mut versions = self.versions.iter();
        versions.find(|(_, version)| version.stages.contains(stage)).map(|(id, _)| id.as_str())
    }

    /// Whether it is a replica: written in another Region.
    pub(crate) fn is_replica(&self) -> bool {
        self.primary_region.as_ref().is_some_and(|primary| *primary != self.region)
    }

    /// Whether other secrets are its replicas, or it is one.
    pub(crate) fn is_linked(&self) -> bool {
        let follows = self.is_replica() || self.cross_primary.is_some();
        follows || !self.replicas.is_empty() || self.cross_replica().is_some()
    }

    /// Refuses what is not done to a secret that waits for its deletion.
    pub(crate) fn alive(&self) -> Result<(), Error> {
        if self.deletion_ms.is_some() { Err(words::marked()) } else { Ok(()) }
    }

    /// Refuses changes of a replica, and of what waits for its deletion.
    pub(crate) fn writable(&self) -> Result<(), Error> {
        self.alive()?;
        if self.is_replica() { Err(words::replica()) } else { Ok(()) }
    }

    /// As [`Self::writable_by`]; refuses changes of values also of a replica of another account's
    /// secret.
    pub(crate) fn owns_values(&self, cx: &Cx) -> Result<(), Error> {
        self.writable_by(cx)?;
        if self.cross_primary.is_some() { Err(words::cross_replica()) } else { Ok(()) }
    }

    /// As [`Self::writable`]; and where another service owns it, through that service only.
    pub(crate) fn writable_by(&self, cx: &Cx) -> Result<(), Error> {
        self.owned_by_caller(cx)?;
        self.writable()
    }

    /// Refuses what its owner alone may do.
    pub(crate) fn owned_by_caller(&self, cx: &Cx) -> Result<(), Error> {
        match self.owner.as_deref() {
            Some(owner) if cx.via().last() != Some(&owner) => Err(words::managed()),
            _ => Ok(()),
        }
    }

    /// The labels of versions that have some.
    pub(crate) fn stages(&self) -> BTreeMap<String, Vec<String>> {
        let labelled = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        labelled.map(|(id, version)| (id.clone(), version.stage_list())).collect()
    }

    /// Adds a version with labels; answers the versions that had to make room.
    pub(crate) fn add(
        &mut self,
        id: &str,
        stages: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let version = Version {
            created_ms: now.millis(),
            accessed_ms: None,
            stages: BTreeSet::new(),
            kms_key_id: self.kms_key_id.clone(),
            is_empty: false,
            unknown: BTreeMap::new(),
        };
        self.versions.insert(id.to_owned(), version);
        self.attach(id, stages)?;
        self.changed_ms = now.millis();
        self.make_room(id, now)
    }

    /// Adds a version without a value, which a rotation function is to fill; one that is there stays.
    pub(crate) fn reserve(&mut self, id: &str, now: Timestamp) -> Result<(), Error> {
        if !self.versions.contains_key(id) {
            self.add(id, &BTreeSet::from([PENDING.to_owned()]), now)?;
            if let Some(version) = self.versions.get_mut(id) {
                version.is_empty = true;
            }
        }
        Ok(())
    }

    /// Takes a version back that never got a value.
    pub(crate) fn unreserve(&mut self, id: &str) {
        if !self.has_value(id) {
            self.versions.remove(id);
        }
    }

    /// Whether a version has a value.
    pub(crate) fn has_value(&self, id: &str) -> bool {
        self.versions.get(id).is_some_and(|version| !version.is_empty)
    }

    /// Attaches labels to a version, moving them from where they are. With `AWSCURRENT` goes
    /// `AWSPREVIOUS`, to the version that was current; that one is not pending any more either.
    pub(crate) fn attach(&mut self, id: &str, stages: &BTreeSet<String>) -> Result<(), Error> {
        if stages.contains(CURRENT) {
            let before = self.labelled(CURRENT).filter(|before| *before != id).map(str::to_owned);
            if let Some(before) = before {
                self.detach(PREVIOUS);
                if let Some(version) = self.versions.get_mut(&before) {
                    version.stages.remove(PENDING);
                    version.stages.insert(PREVIOUS.to_owned());
                }
            }
        }
        for stage in stages {
            self.detach(stage);
            if let Some(version) = self.versions.get_mut(id) {
                version.stages.insert(stage.clone());
            }
        }
        // Nothing is current and previous at once.
        if stages.contains(CURRENT)
            && let Some(version) = self.versions.get_mut(id)
        {
            version.stages.remove(PREVIOUS);
        }
        let labels: usize = self.versions.values().map(|version| version.stages.len()).sum();
        if labels > LABELS_MAX {
            return Err(words::limit(format!(
                "A secret can have at most {LABELS_MAX} staging labels on all of its versions."
            )));
        }
        Ok(())
    }

    /// Takes a label from whichever version has it.
    pub(crate) fn detach(&mut self, stage: &str) {
        for version in self.versions.values_mut() {
            version.stages.remove(stage);
        }
    }

    /// Drops the oldest versions without labels that are older than a day.
    fn make_room(&mut self, new: &str, now: Timestamp) -> Result<Vec<String>, Error> {
        let mut spare: Vec<(i64, String)> = self
            .versions
            .iter()
            .filter(|(id, version)| {
                version.stages.is_empty()
                    && *id != new
                    && version.created_ms <= now.millis() - KEPT_MS
            })
            .map(|(id, version)| (version.created_ms, id.clone()))
            .collect();
        spare.sort();
        let over = self.versions.len().saturating_sub(VERSIONS_MAX);
        let gone: Vec<String> = spare.into_iter().take(over).map(|(_, id)| id).collect();
        for id in &gone {
            self.versions.remove(id);
        }
        if self.versions.len() > VERSIONS_MAX {
            return Err(words::limit(format!(
                "A secret can have at most {VERSIONS_MAX} versions. Those without a staging label \
                 make room once they are 24 hours old."
            )));
        }
        Ok(gone)
    }

    /// Whether an access is the first of its day, which is as precisely as accesses are told.
    pub(crate) fn is_accessed_anew(&self, version: &str, now: Timestamp) -> bool {
        let day = Some(day(now));
        let version = self.versions.get(version);
        version.is_some_and(|version| version.accessed_ms != day || self.accessed_ms != day)
    }

    /// Notes an access; answers whether that changed anything.
    pub(crate) fn accessed(&mut self, version: &str, now: Timestamp) -> bool {
        let changed = self.is_accessed_anew(version, now);
        if let Some(version) = self.versions.get_mut(version) {
            (version.accessed_ms, self.accessed_ms) = (Some(day(now)), Some(day(now)));
        }
        changed
    }
}

/// Midnight of a time's day.
fn day(now: Timestamp) -> i64 {
    now.millis() - now.millis().rem_euclid(KEPT_MS)
}

impl Version {
    /// Its labels, sorted.
    pub(crate) fn stage_list(&self) -> Vec<String> {
        self.stages.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests;
