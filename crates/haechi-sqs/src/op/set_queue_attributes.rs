//! `SetQueueAttributes`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::SetQueueAttributes;
use haechi_sqs_model::shapes::SetQueueAttributesRequest;
use haechi_wire::shape::Unit;

use crate::attributes::Attributes;
use crate::store::ScopeBefore;
use crate::{Sqs, attributes};

/// How long a queue goes by its old deduplication scope: recordings show it, and the API Reference
/// says of attributes that they can take a minute.
const SETTLING_MS: i64 = 60_000;

impl Handle<SetQueueAttributes> for Sqs {
    async fn handle(&self, cx: &Cx, input: SetQueueAttributesRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut record = queue.record().clone();
        let wanted = attributes::wanted(input.attributes);
        attributes::set(&mut record.attributes, &wanted, queue.is_fifo())?;
        if wanted.contains_key("RedrivePolicy") {
            self.has_dead_letters(cx, &queue.arn, &wanted).await?;
        }
        if wanted.contains_key("Policy") {
            record.policy_principals =
                attributes::principals(&self.env, &record.attributes).await?;
        }
        let now_ms = cx.now().millis();
        record.modified_ms = now_ms;
        let by_group = queue.deduplicates_by_group(now_ms);
        if Attributes(&record.attributes).deduplicates_by_group() != by_group {
            record.scope_before = Some(ScopeBefore { by_group, until_ms: now_ms + SETTLING_MS });
        }
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
