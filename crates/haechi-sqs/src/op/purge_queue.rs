//! `PurgeQueue`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::PurgeQueue;
use haechi_sqs_model::shapes::PurgeQueueRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Sqs;
use crate::content::remove_content;
use crate::store::MessageRecord;

/// Messages that are read at a time.
const ROWS: u32 = 45;

/// Writes after which a transaction takes no further message.
const WRITES_MAX: usize = 60;

impl Handle<PurgeQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: PurgeQueueRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let (place, id) = (&queue.place, &queue.record().id);
        loop {
            let page = self.database.list::<MessageRecord>(&place.messages(id), None, ROWS).await?;
            let mut batch = Batch::new();
            let mut writes = 0;
            let before = page.items.iter().filter(|row| row.value.sent_ms <= cx.now().millis());
            for row in before {
                batch.remove(row);
                batch.delete(place.receipt(id, &row.value.id));
                writes += 2 + remove_content(&mut batch, place, &row.value);
                if writes > WRITES_MAX {
                    break;
                }
            }
            if writes == 0 {
                return Ok(Unit);
            }
            match self.database.commit(batch).await {
                // One of them was received meanwhile: it has moved.
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}
