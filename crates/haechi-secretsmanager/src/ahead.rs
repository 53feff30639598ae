//! Values of a change that may be too many for its transaction.
//!
//! Nobody reads a value that its secret's record does not list. So values may be written before the
//! record that lists them, and deleted after the one that listed them. A job deletes those that no
//! record lists: of a change that never came, and of replicas that are gone.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler, Path};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::SecretsManager;
use crate::secret::SecretRecord;
use crate::store::{secret_path, value_path_at};
use crate::vault::ValueRecord;

/// The kind of the job.
pub(crate) const UNLISTED: &str = "secretsmanager-unlisted-values";

/// When values are looked for that were written ahead: once whoever did has long gone on.
const LOOK_SECONDS: i64 = 600;

/// Values that are written with the record that lists them, which has rows of its own to write.
const ROWS_MAX: usize = 15;

/// Values that are written or deleted together, each perhaps with its job.
const ROWS_AHEAD_MAX: usize = 40;

/// Bytes of values that are written together: half of what a transaction of the store takes.
const BYTES_MAX: usize = 512 * 1024;

/// What a row takes beside its value, in bytes, with much to spare.
const ROW_BYTES: usize = 1024;

/// Where values of a secret lie, or of its replica.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Values {
    account: String,
    region: String,
    key: String,
    versions: Vec<String>,
}

impl Values {
    pub(crate) fn of(record: &SecretRecord, versions: Vec<String>) -> Values {
        let (account, region) = (record.account.clone(), record.region.clone());
        Values { account, region, key: record.key.clone(), versions }
    }

    fn path(&self, version: &str) -> Path {
        value_path_at(&self.account, &self.region, &self.key, version)
    }

    /// The job that deletes those of them that nothing lists.
    pub(crate) fn unlisted(&self, id: &str, due: Timestamp) -> Result<Job, Fault> {
        let payload = serde_json::to_string(self).map_err(Fault::internal)?;
        Ok(Job::new(
            UNLISTED,
            &format!("{}.{}.{}.{id}", self.account, self.region, self.key),
            due,
            payload,
        ))
    }
}

/// A value that is to be written.
pub(crate) struct Row {
    pub(crate) path: Path,
    pub(crate) value: ValueRecord,
    pub(crate) of: Values,
}

impl Row {
    pub(crate) fn new(record: &SecretRecord, version: &str, value: ValueRecord) -> Row {
        let of = Values::of(record, vec![version.to_owned()]);
        Row { path: of.path(version), value, of }
    }

    fn bytes(&self) -> usize {
        self.value.sealed.len() + self.value.data_key.len() + ROW_BYTES
    }
}

impl SecretsManager {
    /// Writes values with a batch or, where they are too many, before it; answers whether before.
    pub(crate) async fn write_values(
        &self,
        rows: &[Row],
        batch: &mut Batch,
    ) -> Result<bool, Fault> {
        if rows.len() <= ROWS_MAX && rows.iter().map(Row::bytes).sum::<usize>() <= BYTES_MAX {
            rows.iter().for_each(|row| batch.put(row.path.clone(), &row.value));
            return Ok(false);
        }
        let due = self.env.now().plus_seconds(LOOK_SECONDS);
        let (mut ahead, mut count, mut bytes) = (Batch::new(), 0, 0);
        for row in rows {
            if count == ROWS_AHEAD_MAX || bytes + row.bytes() > BYTES_MAX {
                self.database.commit(std::mem::take(&mut ahead)).await?;
                (count, bytes) = (0, 0);
            }
            let id = self.env.uuid().map_err(Fault::internal)?.to_string();
            ahead.schedule(&row.of.unlisted(&id, due)?);
            ahead.put(row.path.clone(), &row.value);
            (count, bytes) = (count + 1, bytes + row.bytes());
        }
        self.database.commit(ahead).await?;
        Ok(true)
    }

    /// Demands that values that were written ahead are still there: another call may write other
    /// values of the same versions, and then one of both must decide anew.
    pub(crate) async fn demand_values(&self, rows: &[Row], batch: &mut Batch) -> Result<(), Fault> {
        for row in rows {
            let loaded = self.database.load::<ValueRecord>(&row.path).await?;
            match loaded.filter(|loaded| loaded.value.sealed == row.value.sealed) {
                Some(loaded) => batch.unchanged(&loaded),
                None => return Err(Fault::Conflict),
            }
        }
        Ok(())
    }
}

/// Deletes values that nothing lists.
pub(crate) struct DeleteUnlisted {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for DeleteUnlisted {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut values: Values = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let path = secret_path(&values.account, &values.region, &values.key);
        let found = self.database.load::<SecretRecord>(&path).await?;
        if let Some(found) = &found {
            values.versions.retain(|version| !found.value.versions.contains_key(version));
            batch.unchanged(found);
        }
        let rest = values.versions.split_off(values.versions.len().min(ROWS_AHEAD_MAX));
        values.versions.iter().for_each(|version| batch.delete(values.path(version)));
        if !rest.is_empty() {
            values.versions = rest;
            let payload = serde_json::to_string(&values).map_err(Fault::internal)?;
            batch.schedule(&Job { payload, ..job.clone() });
        }
        Ok(batch)
    }
}
