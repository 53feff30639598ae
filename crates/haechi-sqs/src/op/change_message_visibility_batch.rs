//! `ChangeMessageVisibilityBatch`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ChangeMessageVisibilityBatch;
use haechi_sqs_model::shapes::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchResult,
    ChangeMessageVisibilityBatchResultEntry,
};

use crate::{Sqs, batch};

impl Handle<ChangeMessageVisibilityBatch> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: ChangeMessageVisibilityBatchRequest,
    ) -> Result<ChangeMessageVisibilityBatchResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let ids = input.entries.iter().map(|entry| entry.id.as_str());
        batch::check("ChangeMessageVisibilityBatchRequestEntry", ids)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in input.entries {
            let (handle, mut changes) = (&entry.receipt_handle, Batch::new());
            let seconds = entry.visibility_timeout.unwrap_or(30);
            match self.change_visibility(cx, &queue, handle, seconds, &mut changes).await {
                Ok(()) => {
                    self.database.commit(changes).await?;
                    successful.push(ChangeMessageVisibilityBatchResultEntry { id: entry.id });
                }
                Err(error) => failed.push(batch::failed(entry.id, error)?),
            }
        }
        self.sent.notify_waiters();
        Ok(ChangeMessageVisibilityBatchResult {
            successful: batch::told(successful),
            failed: batch::told(failed),
        })
    }
}
