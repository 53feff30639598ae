//! Key material that the customer brings: what is kept of it, and how it comes and goes.
//!
//! Material that was deleted or has expired leaves its row behind, without the secret: by its
//! fingerprint the same material, and no other, is known when it is imported again. Material that
//! waits for a rotation is not yet the key's, and leaves nothing behind.
//!
//! Source: Developer Guide, "Importing key material for AWS KMS keys".

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Env, Job, JobHandler};
use haechi_kms_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde_json::json;

use crate::jobs::{OwnAct, key_of_job};
use crate::key::Transition;
use crate::material::{MaterialRecord, Rotated};
use crate::multi_region::{Siblings, siblings};
use crate::peering::PeerSlot;
use crate::rotation::unfit;
use crate::store::{KeyRecord, handle_path};

/// The origin of keys whose material is imported.
pub(crate) const EXTERNAL: &str = "EXTERNAL";
/// The kind of the job.
pub(crate) const EXPIRE_MATERIAL: &str = "kms-expire-material";

/// Refuses a key that makes its own material.
pub(crate) fn check_external(key: &KeyRecord) -> Result<(), Error> {
    if key.origin == EXTERNAL { Ok(()) } else { Err(unfit(key, "origin", &key.origin)) }
}

/// The job that ends material of a key, if it is to end.
pub(crate) fn expiry_job(key: &KeyRecord, material: &MaterialRecord) -> Option<Job> {
    let due = Timestamp::from_millis(material.imported.as_ref()?.valid_to_ms?);
    // The Regions of a multi-Region key have the same material, each for its own time.
    let id = format!("{}-{}", key.region, material.id);
    let payload = format!("{}/{}/{}/{}", key.account, key.region, key.id, material.id);
    Some(Job::new(EXPIRE_MATERIAL, &id, due, payload))
}

/// Takes material away from a key; `siblings` are its other Regions. The rows are the caller's to
/// save. Answers whether there is such material.
pub(crate) fn lose(
    key: &mut KeyRecord,
    siblings: &mut Siblings,
    material_id: &str,
    batch: &mut Batch,
) -> bool {
    let Some(index) = key.materials.iter().position(|row| row.id == material_id) else {
        return false;
    };
    let primary = key.multi_region.is_none() || key.is_primary();
    let Some(row) = key.materials.get(index) else { return false };
    if let Some(job) = expiry_job(key, row) {
        batch.cancel(&job);
    }
    let (pending, handle) = (row.pending, row.handle());
    if pending && primary {
        batch.delete(handle_path(&handle));
        for (_, sibling) in &mut siblings.rows {
            let there = sibling.materials.iter().find(|row| row.id == material_id);
            if let Some(job) = there.and_then(|row| expiry_job(sibling, row)) {
                batch.cancel(&job);
            }
            sibling.materials.retain(|row| row.id != material_id);
        }
        key.materials.remove(index);
        return true;
    }
    if let Some(row) = key.materials.get_mut(index) {
        row.token.clear();
        if let Some(imported) = &mut row.imported {
            imported.valid_to_ms = None;
        }
    }
    // What waits for a rotation is not the key's yet, so that its state stays.
    if let Ok(state) = key.state.after(Transition::LoseMaterial)
        && !pending
    {
        key.state = state;
    }
    true
}

/// Makes the material that waits for it current, in all Regions.
pub(crate) fn make_current(
    key: &mut KeyRecord,
    siblings: &mut Siblings,
    rotated: &Rotated,
) -> Result<(), Error> {
    let ready =
        |row: &&MaterialRecord| row.pending && row.is_present() && !siblings.lack(key, &row.id);
    let Some(id) = key.materials.iter().find(ready).map(|row| row.id.clone()) else {
        return Err(Error::KMSInvalidStateException(format!(
            "No available key material pending rotation for the key: {}.",
            key.arn
        )));
    };
    let everywhere = siblings.rows.iter_mut().map(|(_, sibling)| sibling).chain([key]);
    for row in everywhere.flat_map(|key| &mut key.materials).filter(|row| row.id == id) {
        row.pending = false;
        row.rotated = Some(rotated.clone());
    }
    Ok(())
}

/// Ends imported material at its date.
pub(crate) struct ExpireMaterial {
    database: Arc<Database>,
    env: Env,
    peers: PeerSlot,
}

impl ExpireMaterial {
    pub(crate) fn new(database: Arc<Database>, env: Env, peers: PeerSlot) -> ExpireMaterial {
        ExpireMaterial { database, env, peers }
    }
}

#[async_trait]
impl JobHandler for ExpireMaterial {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let path = key_of_job(job)?;
        let Some(loaded) = self.database.load::<KeyRecord>(&path).await? else {
            return Ok(batch);
        };
        let mut record = loaded.value.clone();
        let id = job.payload.rsplit('/').next().unwrap_or_default();
        let due = record.materials.iter().any(|row| {
            let valid_to_ms = row.imported.as_ref().and_then(|imported| imported.valid_to_ms);
            row.id == id && valid_to_ms.is_some_and(|at_ms| at_ms <= now.millis())
        });
        // Deleted, or imported again for longer: then another job waits.
        if !due {
            return Ok(batch);
        }
        let mut siblings = siblings(&self.database, &self.peers, &record).await?;
        lose(&mut record, &mut siblings, id, &mut batch);
        siblings.save(&record, now, &mut batch);
        batch.replace(&loaded, &record);
        let details = json!({ "keyId": record.id, "keyMaterialId": id });
        OwnAct::Expiration.tell(&record, details, (&self.env, now), &mut batch)?;
        tracing::info!(key = record.arn, "imported key material has expired and is gone");
        Ok(batch)
    }
}
