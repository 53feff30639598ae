//! `DeleteTopic`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::DeleteTopic;
use haechi_sns_model::shapes::DeleteTopicInput;
use haechi_wire::shape::Unit;

use crate::{Sns, sweep};

impl Handle<DeleteTopic> for Sns {
    async fn handle(&self, cx: &Cx, input: DeleteTopicInput) -> Result<Unit, Error> {
        let topic = match self.topic(cx, &input.topic_arn).await {
            // That it is gone already is no failure.
            Err(Error::NotFoundException(_)) => return Ok(Unit),
            found => found?,
        };
        let mut batch = Batch::new();
        batch.remove(&topic.loaded);
        // Its subscriptions may be many: a job clears them away.
        batch.schedule(&sweep::job(&topic.arn.arn, &topic.record().id, cx.now(), true));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
