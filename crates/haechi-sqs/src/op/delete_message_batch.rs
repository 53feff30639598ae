//! `DeleteMessageBatch`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::DeleteMessageBatch;
use haechi_sqs_model::shapes::{
    DeleteMessageBatchRequest, DeleteMessageBatchResult, DeleteMessageBatchResultEntry,
};

use crate::{Sqs, batch};

impl Handle<DeleteMessageBatch> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteMessageBatchRequest,
    ) -> Result<DeleteMessageBatchResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let ids = input.entries.iter().map(|entry| entry.id.as_str());
        batch::check("DeleteMessageBatchRequestEntry", ids)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in input.entries {
            let mut changes = Batch::new();
            match self.delete(cx, &queue, &entry.receipt_handle, &mut changes).await {
                Ok(()) => {
                    self.database.commit(changes).await?;
                    successful.push(DeleteMessageBatchResultEntry { id: entry.id });
                }
                Err(error) => failed.push(batch::failed(entry.id, error)?),
            }
        }
        Ok(DeleteMessageBatchResult {
            successful: batch::told(successful),
            failed: batch::told(failed),
        })
    }
}
