//! Job: what has expired goes, also from queues that nobody reads.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Database, Job, JobHandler, Loaded, Path};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;
use crate::content::PieceRecord;
use crate::move_task::MoveTaskRecord;
use crate::store::{DeduplicationRecord, MessageRecord, Place, QueueRecord, ReceiptRecord};

/// The kind of the job.
pub(crate) const SWEEP: &str = "sqs-sweep";

/// Seconds between two looks at a queue.
pub(crate) const EVERY_SECONDS: i64 = 3600;

/// Seconds until the next look where there is more than fits into one transaction.
const AGAIN_SECONDS: i64 = 1;

/// Rows of a kind that go in one transaction, which takes a hundred in all.
const ROWS_MAX: u32 = 24;

/// Messages that go in one transaction, each with its receipt.
const MESSAGES_MAX: usize = 25;

/// Pieces of long messages that go in one transaction.
const PIECES_MAX: u32 = 10;

/// The longest that a message is kept.
const RETENTION_MAX_MS: i64 = 14 * 24 * 3600 * 1000;

/// Whose queue is swept. Its name is a user's, so it stands in the job's sealed payload.
#[derive(Serialize, Deserialize)]
struct Target {
    account: String,
    region: String,
    name: String,
    id: String,
}

/// The job of a queue, due an hour from `now`.
pub(crate) fn job(place: &Place, queue: &QueueRecord, now: Timestamp) -> Result<Job, Fault> {
    let target = Target {
        account: place.account.clone(),
        region: place.region.clone(),
        name: queue.name.clone(),
        id: queue.id.clone(),
    };
    let payload = serde_json::to_string(&target).map_err(Fault::internal)?;
    Ok(Job::new(SWEEP, &queue.id, now.plus_seconds(EVERY_SECONDS), payload))
}

/// Runs it.
pub(crate) struct Sweep {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for Sweep {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let target: Target = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let place = Place { account: target.account, region: target.region };
        let queue = self.database.load::<QueueRecord>(&place.queue(&target.name)).await?;
        let queue = queue.map(|found| found.value).filter(|queue| queue.id == target.id);
        let mut batch = Batch::new();
        let is_full = match &queue {
            Some(queue) => self.sweep(&place, queue, now, &mut batch).await?,
            None => self.clear(&place, &target.id, &mut batch).await?,
        };
        let seconds = if is_full { AGAIN_SECONDS } else { EVERY_SECONDS };
        if is_full || queue.is_some() {
            let next = Job { due_ms: now.plus_seconds(seconds).millis(), ..job.clone() };
            batch.schedule(&next);
        }
        Ok(batch)
    }
}

impl Sweep {
    /// Removes what has expired; answers whether there may be more.
    async fn sweep(
        &self,
        place: &Place,
        queue: &QueueRecord,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<bool, Fault> {
        let now_ms = now.millis();
        let ids = place.deduplications(&queue.id);
        let page = self.database.list::<DeduplicationRecord>(&ids, None, ROWS_MAX).await?;
        let expired: Vec<_> =
            page.items.iter().filter(|row| row.value.until_ms <= now_ms).collect();
        let many_ids = page.next.is_some() && !expired.is_empty();
        expired.into_iter().for_each(|row| batch.remove(row));
        // By next visibility, or by number: what was sent long ago stands first or nearly so.
        let retention_ms = Attributes(&queue.attributes).retention_ms();
        let messages = place.messages(&queue.id);
        let page = self.database.list::<MessageRecord>(&messages, None, ROWS_MAX).await?;
        let expired: Vec<_> =
            page.items.iter().filter(|row| row.value.expires_ms(retention_ms) <= now_ms).collect();
        let many_messages = page.next.is_some() && !expired.is_empty();
        for row in expired.into_iter().take(MESSAGES_MAX) {
            batch.remove(row);
            batch.delete(place.receipt(&queue.id, &row.value.id));
        }
        self.forget_pieces(place, now_ms, batch).await?;
        Ok(many_ids || many_messages)
    }

    /// Removes pieces that no message can need any more, whichever queue it was in: those of
    /// messages that expired, and what a crash left.
    async fn forget_pieces(
        &self,
        place: &Place,
        now_ms: i64,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let page = self.database.list::<PieceRecord>(&place.pieces(), None, PIECES_MAX).await?;
        let is_old = |row: &&Loaded<PieceRecord>| {
            row.value.sent_ms.saturating_add(RETENTION_MAX_MS) <= now_ms
        };
        page.items.iter().filter(is_old).for_each(|row| batch.remove(row));
        Ok(())
    }

    /// Removes all rows of a queue that is gone; answers whether there may be more.
    async fn clear(&self, place: &Place, queue: &str, batch: &mut Batch) -> Result<bool, Fault> {
        let messages = self.remove::<MessageRecord>(&place.messages(queue), batch).await?;
        let receipts = self.remove::<ReceiptRecord>(&place.receipts(queue), batch).await?;
        let ids = self.remove::<DeduplicationRecord>(&place.deduplications(queue), batch).await?;
        batch.delete(place.sequence(queue));
        batch.delete(place.moving(queue));
        let tasks = self.remove::<MoveTaskRecord>(&place.move_tasks(queue), batch).await?;
        Ok(messages || receipts || ids || tasks)
    }

    async fn remove<T: haechi_core::Record>(
        &self,
        prefix: &Path,
        batch: &mut Batch,
    ) -> Result<bool, Fault> {
        let page = self.database.list::<T>(prefix, None, ROWS_MAX).await?;
        page.items.iter().for_each(|row| batch.remove(row));
        Ok(page.next.is_some())
    }
}
