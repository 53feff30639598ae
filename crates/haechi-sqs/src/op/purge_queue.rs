//! `PurgeQueue`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::PurgeQueue;
use haechi_sqs_model::shapes::PurgeQueueRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Sqs;
use crate::store::MessageRecord;

/// Messages that go in one transaction.
const ROWS: u32 = 200;

impl Handle<PurgeQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: PurgeQueueRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let (place, id) = (&queue.place, &queue.record().id);
        loop {
            let page = self.database.list::<MessageRecord>(&place.messages(id), None, ROWS).await?;
            let sent_before =
                |row: &&haechi_core::Loaded<MessageRecord>| row.value.sent_ms <= cx.now().millis();
            let rows: Vec<_> = page.items.iter().filter(sent_before).collect();
            if rows.is_empty() {
                return Ok(Unit);
            }
            let mut batch = Batch::new();
            for row in rows {
                batch.remove(row);
                batch.delete(place.receipt(id, &row.value.id));
            }
            match self.database.commit(batch).await {
                // One of them was received meanwhile: it has moved.
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}
