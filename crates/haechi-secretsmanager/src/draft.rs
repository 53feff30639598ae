//! A secret that is about to be changed, with its replicas: they change in the same transaction.

use std::collections::BTreeSet;

use haechi_core::{Batch, Cx, Loaded, Permit, Unchecked};
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, Timestamp};

use crate::ahead::Row;
use crate::authz::missing;
use crate::cross_account::Link;
use crate::name::SecretId;
use crate::replica::Status;
use crate::secret::SecretRecord;
use crate::store::{Found, Secret, name_path, secret_path, value_path};
use crate::value::Plain;
use crate::{SecretsManager, store};

/// A secret as it was read, to be changed.
pub(crate) struct Draft {
    secret: Secret,
    loaded: Loaded<SecretRecord>,
    replicas: Vec<(SecretRecord, Loaded<SecretRecord>)>,
    /// Those of other accounts that still follow.
    cross_replicas: Vec<(SecretRecord, Loaded<SecretRecord>)>,
}

impl AsRef<Secret> for Draft {
    fn as_ref(&self) -> &Secret {
        &self.secret
    }
}

impl Draft {
    /// As it was read.
    pub(crate) fn loaded(&self) -> &Loaded<SecretRecord> {
        &self.loaded
    }

    /// The record, to be read.
    pub(crate) fn record(&self) -> &SecretRecord {
        &self.secret.record
    }

    /// The record, to be changed.
    pub(crate) fn change(&mut self) -> &mut SecretRecord {
        &mut self.secret.record
    }

    /// Adds a caller's change to a batch.
    pub(crate) fn save(&mut self, cx: &Cx, _: &Permit, batch: &mut Batch) {
        self.change().changed_ms = cx.now().millis();
        self.write(batch);
    }

    /// Adds the change to a batch; replicas that are in sync follow.
    pub(crate) fn write(&mut self, batch: &mut Batch) {
        self.secret.record.tell(batch);
        let record = &self.secret.record;
        for (replica, loaded) in &mut self.replicas {
            let state = record.replicas.get(&replica.region);
            if state.is_some_and(|state| state.status == Status::InSync) {
                replica.follow(record);
            }
            batch.replace(loaded, replica);
        }
        for (replica, loaded) in &mut self.cross_replicas {
            replica.follow_abroad(record);
            batch.replace(loaded, replica);
        }
        batch.replace(&self.loaded, record);
    }

    /// Removes the secret. Its replicas must have gone before.
    pub(crate) fn remove(&self, _: &Permit, batch: &mut Batch) {
        self.secret.record.forget(batch);
        batch.remove(&self.loaded);
    }

    /// Removes the secret, where another takes over its name in the same batch.
    pub(crate) fn replace(&self, _: &Permit, batch: &mut Batch) {
        self.secret.record.forget_but_name(batch);
        batch.remove(&self.loaded);
    }

    /// Leaves a replica alone that is written anew in the same batch.
    pub(crate) fn leave_replica(&mut self, region: &str) {
        self.replicas.retain(|(replica, _)| replica.region != region);
    }

    /// Leaves a replica of another account alone that is written otherwise in the same batch.
    pub(crate) fn leave_cross_replica(&mut self, arn: &str) {
        self.cross_replicas.retain(|(replica, _)| replica.arn != arn);
    }

    /// Takes in a replica of another account, which is then written with the secret.
    pub(crate) fn adopt(&mut self, replica: Draft) {
        self.cross_replicas.push((replica.secret.record, replica.loaded));
    }

    /// Takes a replica out: its rows go in the same batch, its values soon.
    pub(crate) fn remove_replica(&mut self, region: &str, batch: &mut Batch) -> Result<(), Fault> {
        let gone = |(replica, _): &mut (SecretRecord, _)| replica.region == region;
        for (replica, loaded) in self.replicas.extract_if(.., gone) {
            replica.forget_later(batch)?;
            batch.remove(&loaded);
        }
        let removed = self.secret.record.replicas.remove(region);
        if let Some(other) = removed.and_then(|replica| replica.elsewhere) {
            self.secret.record.remove_elsewhere(region, &other, batch);
        }
        Ok(())
    }

    /// Deletes what versions left behind that had to make room.
    fn drop_values(&self, gone: &[String], batch: &mut Batch) {
        for version in gone {
            batch.delete(value_path(&self.secret.record, version));
            for (replica, _) in self.replicas.iter().chain(&self.cross_replicas) {
                batch.delete(value_path(replica, version));
            }
        }
    }
}

impl SecretsManager {
    /// The secret that the caller names, to be changed.
    pub(crate) async fn draft(
        &self,
        cx: &Cx,
        given: &str,
    ) -> Result<Unchecked<Found<Draft>>, Error> {
        let id = SecretId::parse(cx, given)?;
        match self.draft_of(cx, &id).await? {
            Some(secret) => Ok(Unchecked::new(Found { secret, given: given.to_owned() })),
            None => Err(missing(cx, cx.operation.action, &id, given)),
        }
    }

    /// A secret of the call's Region, to be changed.
    pub(crate) async fn draft_of(&self, cx: &Cx, id: &SecretId) -> Result<Option<Draft>, Fault> {
        let region = cx.region.as_str();
        let row = self.database.load(&name_path(&id.account, region, &id.name)).await?;
        let row: Option<Loaded<store::KeyRow>> = row;
        let Some(row) = row else { return Ok(None) };
        let draft = self.draft_at(&id.account, region, &row.value.key).await?;
        let is_meant = |draft: &Draft| {
            id.suffix.as_ref().is_none_or(|suffix| *suffix == draft.record().suffix)
        };
        Ok(draft.filter(is_meant))
    }

    /// A secret by its place, to be changed.
    pub(crate) async fn draft_at(
        &self,
        account: &str,
        region: &str,
        key: &str,
    ) -> Result<Option<Draft>, Fault> {
        let path = secret_path(account, region, key);
        let Some(loaded) = self.database.load::<SecretRecord>(&path).await? else {
            return Ok(None);
        };
        let mut replicas = Vec::new();
        for region in loaded.value.replicas.keys() {
            let path = secret_path(account, region, key);
            if let Some(row) = self.database.load::<SecretRecord>(&path).await? {
                replicas.push((row.value.clone(), row));
            }
        }
        let mut cross_replicas = Vec::new();
        for entry in loaded.value.cross_replicas.values() {
            if entry.link == Link::Detached {
                continue;
            }
            let path = secret_path(&entry.account, region, &entry.key);
            if let Some(row) = self.database.load::<SecretRecord>(&path).await? {
                cross_replicas.push((row.value.clone(), row));
            }
        }
        let secret = Secret::build(loaded.value.clone())?;
        Ok(Some(Draft { secret, loaded, replicas, cross_replicas }))
    }

    /// Gives a secret another version, in all its Regions. A Region whose key cannot be used is
    /// marked as failed and left behind.
    pub(crate) async fn add_version(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        id: &str,
        plain: &Plain,
        stages: &BTreeSet<String>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let now: Timestamp = cx.now();
        let gone = draft.secret.record.add(id, stages, now)?;
        let value = self.seal(cx, &draft.secret.record, id, plain).await?;
        batch.put(value_path(&draft.secret.record, id), &value);
        self.send_to_all(&mut draft.secret.record, id, plain, batch)?;
        draft.drop_values(&gone, batch);
        let mut copies = Vec::new();
        for (replica, _) in &draft.replicas {
            let sealed = self.seal(cx, replica, id, plain).await;
            let Some(state) = draft.secret.record.replicas.get_mut(&replica.region) else {
                continue;
            };
            if state.status != Status::InSync {
                continue;
            }
            match sealed {
                Ok(value) => copies.push(Row::new(replica, id, value)),
                Err(error) => state.fail(error),
            }
        }
        for (replica, _) in &draft.cross_replicas {
            let entry = draft.secret.record.cross_replicas.get_mut(&replica.arn);
            let Some(entry) = entry.filter(|entry| entry.link == Link::InSync) else { continue };
            match self.seal_by_encrypt(cx, replica, id, plain).await {
                Ok(value) => copies.push(Row::new(replica, id, value)),
                Err(error) => entry.fail(error),
            }
        }
        if self.write_values(&copies, batch).await? {
            self.demand_values(&copies, batch).await?;
        }
        Ok(())
    }
}
