//! `PurgeQueue`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::PurgeQueue;
use haechi_sqs_model::shapes::PurgeQueueRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Sqs;
use crate::content::remove_content;
use crate::message::DEDUPLICATION_MS;
use crate::queue::Queue;
use crate::store::{DeduplicationRecord, MessageRecord};

/// From one purge of a queue to the next.
const PAUSE_MS: i64 = 60_000;

/// Messages that are read at a time.
const ROWS: u32 = 45;

/// Writes after which a transaction takes no further message.
const WRITES_MAX: usize = 60;

impl Handle<PurgeQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: PurgeQueueRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut record = queue.record().clone();
        let now_ms = cx.now().millis();
        if record.purged_ms.is_some_and(|at| now_ms < at.saturating_add(PAUSE_MS)) {
            return Err(Error::PurgeQueueInProgress(format!(
                "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
                record.name
            )));
        }
        record.purged_ms = Some(now_ms);
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        let (place, id) = (&queue.place, &queue.record().id);
        loop {
            let page = self.database.list::<MessageRecord>(&place.messages(id), None, ROWS).await?;
            let mut batch = Batch::new();
            let mut writes = 0;
            let before = page.items.iter().filter(|row| row.value.sent_ms <= now_ms);
            for row in before {
                batch.remove(row);
                batch.delete(place.receipt(id, &row.value.id));
                writes += 2 + remove_content(&mut batch, place, &row.value);
                if writes > WRITES_MAX {
                    break;
                }
            }
            if writes == 0 {
                break;
            }
            match self.database.commit(batch).await {
                // One of them was received meanwhile: it has moved.
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        self.free_deduplication_ids(&queue, now_ms).await?;
        Ok(Unit)
    }
}

impl Sqs {
    /// Lets deduplication ids be taken again whose messages are purged (recorded).
    async fn free_deduplication_ids(&self, queue: &Queue, now_ms: i64) -> Result<(), Fault> {
        let prefix = queue.place.deduplications(&queue.record().id);
        let taken_by = now_ms.saturating_add(DEDUPLICATION_MS);
        loop {
            let page = self.database.list::<DeduplicationRecord>(&prefix, None, ROWS).await?;
            let mut batch = Batch::new();
            let mut is_done = true;
            for row in page.items.iter().filter(|row| row.value.until_ms <= taken_by) {
                batch.remove(row);
                is_done = false;
            }
            if is_done {
                return Ok(());
            }
            match self.database.commit(batch).await {
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}
