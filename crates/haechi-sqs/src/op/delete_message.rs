//! `DeleteMessage`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::DeleteMessage;
use haechi_sqs_model::shapes::DeleteMessageRequest;
use haechi_wire::shape::Unit;

use crate::Sqs;

impl Handle<DeleteMessage> for Sqs {
    async fn handle(&self, cx: &Cx, input: DeleteMessageRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut batch = Batch::new();
        self.delete(cx, &queue, &input.receipt_handle, &mut batch).await?;
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
