//! `ChangeMessageVisibility`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ChangeMessageVisibility;
use haechi_sqs_model::shapes::ChangeMessageVisibilityRequest;
use haechi_wire::shape::Unit;

use crate::Sqs;

impl Handle<ChangeMessageVisibility> for Sqs {
    async fn handle(&self, cx: &Cx, input: ChangeMessageVisibilityRequest) -> Result<Unit, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let (handle, seconds) = (&input.receipt_handle, input.visibility_timeout);
        let mut batch = Batch::new();
        self.change_visibility(cx, &queue, handle, seconds, &mut batch).await?;
        self.database.commit(batch).await?;
        self.sent.notify_waiters();
        Ok(Unit)
    }
}
