//! `RemovePermission`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::RemovePermission;
use haechi_sqs_model::shapes::RemovePermissionRequest;
use haechi_wire::shape::Unit;

use crate::{Sqs, permission};

impl Handle<RemovePermission> for Sqs {
    async fn handle(&self, cx: &Cx, input: RemovePermissionRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let mut record = queue.record().clone();
        match permission::removed(record.attributes.get("Policy"), &input.label)? {
            Some(policy) => record.attributes.insert("Policy".to_owned(), policy),
            None => record.attributes.remove("Policy"),
        };
        record.modified_ms = cx.now().millis();
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
