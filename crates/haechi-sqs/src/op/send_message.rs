//! `SendMessage`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::SendMessage;
use haechi_sqs_model::shapes::{SendMessageRequest, SendMessageResult};

use crate::Sqs;
use crate::message::Draft;

impl Handle<SendMessage> for Sqs {
    async fn handle(&self, cx: &Cx, input: SendMessageRequest) -> Result<SendMessageResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut batch = Batch::new();
        batch.unchanged(&queue.loaded);
        let sent = self.send(cx, &queue, Draft::from(input), &mut batch).await?;
        self.database.commit(batch).await?;
        self.sent.notify_waiters();
        Ok(SendMessageResult {
            md5_of_message_body: Some(sent.body_digest),
            md5_of_message_attributes: sent.attributes_digest,
            md5_of_message_system_attributes: sent.system_attributes_digest,
            message_id: Some(sent.message_id),
            sequence_number: sent.sequence_number,
        })
    }
}
