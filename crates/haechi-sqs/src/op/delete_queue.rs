//! `DeleteQueue`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::DeleteQueue;
use haechi_sqs_model::shapes::DeleteQueueRequest;
use haechi_wire::shape::Unit;

use crate::{Sqs, sweep};

impl Handle<DeleteQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: DeleteQueueRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut batch = Batch::new();
        batch.remove(&queue.loaded);
        // Its messages may be many: the job clears them away, at once.
        let job =
            sweep::job(&queue.place, queue.record(), cx.now().plus_seconds(-sweep::EVERY_SECONDS))?;
        batch.schedule(&job);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(Unit)
    }
}
