//! The end of the recovery window.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler, Loaded};
use haechi_wire::{Fault, Timestamp};

use crate::events::DELETION_ENDED;
use crate::secret::SecretRecord;
use crate::store::secret_path;

/// The kind of the job.
pub(crate) const DELETE_SECRET: &str = "secretsmanager-delete";

impl SecretRecord {
    /// The job that deletes it at its date.
    pub(crate) fn deletion_job(&self) -> Option<Job> {
        let id = format!("{}.{}.{}", self.account, self.region, self.key);
        let payload = format!("{}/{}/{}", self.account, self.region, self.key);
        let due = Timestamp::from_millis(self.deletion_ms?);
        Some(Job::new(DELETE_SECRET, &id, due, payload))
    }
}

/// Deletes secrets at their date.
pub(crate) struct DeleteSecretJob {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for DeleteSecretJob {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut parts = job.payload.split('/');
        let (Some(account), Some(region), Some(key)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::internal(format!("a job without a secret: {}", job.id)));
        };
        let path = secret_path(account, region, key);
        let Some(row) = self.database.load::<SecretRecord>(&path).await? else { return Ok(batch) };
        // Restored, or ordered anew: then another job waits.
        if row.value.deletion_ms.is_none_or(|due_ms| due_ms > now.millis()) {
            return Ok(batch);
        }
        forget_values(&self.database, &row).await?;
        row.value.forget(&mut batch);
        row.value.tell_versions(DELETION_ENDED, now, &mut batch)?;
        batch.remove(&row);
        tracing::info!(secret = row.value.arn, "deleted a secret at its date");
        Ok(batch)
    }
}

/// Values that go with their secret in one transaction; the store takes a hundred writes.
pub(crate) const VALUES_MAX: usize = 80;

/// Deletes the values that do not fit into the transaction that removes the secret.
pub(crate) async fn forget_values(
    database: &Database,
    row: &Loaded<SecretRecord>,
) -> Result<(), Fault> {
    let over = row.value.versions.len().saturating_sub(VALUES_MAX);
    if over == 0 {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.unchanged(row);
    for version in row.value.versions.keys().take(over) {
        batch.delete(crate::store::value_path(&row.value, version));
    }
    database.commit(batch).await
}
