//! `AddPermission`.

use std::collections::BTreeMap;

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::AddPermission;
use haechi_sqs_model::shapes::AddPermissionRequest;
use haechi_wire::shape::Unit;

use crate::{Sqs, attributes, permission};

impl Handle<AddPermission> for Sqs {
    async fn handle(&self, cx: &Cx, input: AddPermissionRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut record = queue.record().clone();
        let statement = (&*input.label, &*input.aws_account_ids, &*input.actions);
        let policy = permission::added(record.attributes.get("Policy"), &queue.arn, statement)?;
        // As if it were set whole: what cannot be read again would leave nobody a way to the queue.
        let wanted = BTreeMap::from([("Policy".to_owned(), policy)]);
        attributes::set(&mut record.attributes, &wanted, queue.is_fifo())?;
        record.modified_ms = cx.now().millis();
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
