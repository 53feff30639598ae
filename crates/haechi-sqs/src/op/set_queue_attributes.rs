//! `SetQueueAttributes`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::SetQueueAttributes;
use haechi_sqs_model::shapes::SetQueueAttributesRequest;
use haechi_wire::shape::Unit;

use crate::{Sqs, attributes};

impl Handle<SetQueueAttributes> for Sqs {
    async fn handle(&self, cx: &Cx, input: SetQueueAttributesRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut record = queue.record().clone();
        let wanted = attributes::wanted(input.attributes);
        attributes::set(&mut record.attributes, &wanted, queue.is_fifo())?;
        if wanted.contains_key("RedrivePolicy") {
            self.has_dead_letters(cx, &queue.arn, &record.attributes).await?;
        }
        if wanted.contains_key("Policy") {
            record.policy_principals =
                attributes::principals(&self.env, &record.attributes).await?;
        }
        record.modified_ms = cx.now().millis();
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
