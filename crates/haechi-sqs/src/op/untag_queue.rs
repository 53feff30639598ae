//! `UntagQueue`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::UntagQueue;
use haechi_sqs_model::shapes::UntagQueueRequest;
use haechi_wire::shape::Unit;

use super::tag_queue::KEY_LENGTH;
use crate::Sqs;

impl Handle<UntagQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: UntagQueueRequest) -> Result<Unit, Error> {
        if input.tag_keys.is_empty() {
            return Err(Error::InvalidParameterValueException(KEY_LENGTH.to_owned()));
        }
        let facts = Facts::default().and_taking(&input.tag_keys);
        let (queue, _) = self.queue_knowing(cx, &input.queue_url, facts).await?;
        let mut record = queue.record().clone();
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
