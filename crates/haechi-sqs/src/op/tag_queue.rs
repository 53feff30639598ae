//! `TagQueue`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::TagQueue;
use haechi_sqs_model::shapes::TagQueueRequest;
use haechi_wire::shape::Unit;

use crate::Sqs;
use crate::error::missing;

/// Tags on a queue, at most.
const TAGS_MAX: usize = 50;

impl Handle<TagQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: TagQueueRequest) -> Result<Unit, Error> {
        if input.tags.is_empty() {
            return Err(missing("Tags"));
        }
        let facts = Facts::putting(&input.tags);
        let (queue, _) = self.queue_knowing(cx, &input.queue_url, facts).await?;
        let mut record = queue.record().clone();
        record.tags.extend(input.tags);
        if record.tags.len() > TAGS_MAX {
            let name = &record.name;
            let told = format!("Too many tags added for queue {name}.");
            return Err(Error::InvalidParameterValueException(told));
        }
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
