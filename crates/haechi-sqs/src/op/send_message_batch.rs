//! `SendMessageBatch`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::SendMessageBatch;
use haechi_sqs_model::shapes::{
    SendMessageBatchRequest, SendMessageBatchRequestEntry, SendMessageBatchResult,
    SendMessageBatchResultEntry,
};

use crate::message::{Draft, no_deduplication_id};
use crate::{Sqs, batch};

/// Bytes of all messages of a batch.
const BYTES_MAX: usize = 1_048_576;

impl Handle<SendMessageBatch> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: SendMessageBatchRequest,
    ) -> Result<SendMessageBatchResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let ids = input.entries.iter().map(|entry| entry.id.as_str());
        batch::check("SendMessageBatchRequestEntry", ids)?;
        let bytes: usize = input.entries.iter().map(bytes).sum();
        if bytes > BYTES_MAX {
            return Err(Error::BatchRequestTooLong(format!(
                "Batch requests cannot be longer than {BYTES_MAX} bytes. You have sent {bytes} bytes."
            )));
        }
        if queue.is_fifo() && input.entries.iter().any(|entry| entry.message_group_id.is_none()) {
            let told = "The request must contain the parameter MessageGroupId.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        let is_named = |entry: &SendMessageBatchRequestEntry| {
            entry.message_deduplication_id.is_some()
                || queue.attributes().has_content_based_deduplication()
        };
        if queue.is_fifo() && !input.entries.iter().all(is_named) {
            return Err(no_deduplication_id());
        }
        // What KMS refuses, it refuses of all of them.
        self.sending_key(cx, &queue).await?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        // One transaction each: a deduplication id that an entry takes, the next one must see.
        for entry in input.entries {
            let id = entry.id.clone();
            let mut changes = Batch::new();
            changes.unchanged(&queue.loaded);
            match self.send(cx, &queue, Draft::from(entry), &mut changes).await {
                Ok(sent) => {
                    self.database.commit(changes).await?;
                    successful.push(SendMessageBatchResultEntry {
                        id,
                        message_id: sent.message_id,
                        md5_of_message_body: sent.body_digest,
                        md5_of_message_attributes: sent.attributes_digest,
                        md5_of_message_system_attributes: sent.system_attributes_digest,
                        sequence_number: sent.sequence_number,
                    });
                }
                Err(error) => failed.push(batch::failed(id, error)?),
            }
        }
        self.sent.notify_waiters();
        Ok(SendMessageBatchResult {
            successful: batch::told(successful),
            failed: batch::told(failed),
        })
    }
}

/// What a message counts for in its batch: body and attributes, as the recording counts.
fn bytes(entry: &SendMessageBatchRequestEntry) -> usize {
    let attributes = entry.message_attributes.iter().flatten().map(|(name, value)| {
        let text = value.string_value.as_ref().map_or(0, String::len);
        let binary = value.binary_value.as_ref().map_or(0, |blob| blob.0.len());
        name.len() + value.data_type.len() + text + binary
    });
    entry.message_body.len() + attributes.sum::<usize>()
}
