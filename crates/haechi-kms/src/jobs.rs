//! Deletion of a key at its date: its material, its aliases and the handles of its ciphertexts go
//! with it, in one transaction; its grants, which may be many, go before. Afterwards no ciphertext of it opens, for anybody.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler};
use haechi_wire::{Fault, Timestamp};

use crate::grants;
use crate::key::State;
use crate::store::{KeyRecord, alias_path, handle_path, key_path};
use crate::usage::usage_path;

/// The kind of the job.
pub(crate) const DELETE_KEY: &str = "kms-delete-key";

/// Deletes keys.
pub(crate) struct DeleteKey {
    database: Arc<Database>,
}

impl DeleteKey {
    pub(crate) fn new(database: Arc<Database>) -> DeleteKey {
        DeleteKey { database }
    }
}

#[async_trait]
impl JobHandler for DeleteKey {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut parts = job.payload.split('/');
        let (Some(account), Some(region), Some(id)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::internal(format!("a job without a key: {}", job.id)));
        };
        let path = key_path(account, region, id);
        let Some(key) = self.database.load::<KeyRecord>(&path).await? else { return Ok(batch) };
        let record = &key.value;
        let due = record.deletion_ms.is_some_and(|due_ms| due_ms <= now.millis());
        // Cancelled, or scheduled anew: then another job waits.
        if record.state != State::PendingDeletion || !due {
            return Ok(batch);
        }
        grants::forget_all(&self.database, account, region, id).await?;
        for name in &record.aliases {
            batch.delete(alias_path(account, region, name));
        }
        for material in &record.materials {
            batch.delete(handle_path(&material.handle()));
        }
        batch.delete(usage_path(account, region, id));
        batch.remove(&key);
        tracing::info!(key = record.arn, "deleted a key and its material at its date");
        Ok(batch)
    }
}
