//! `GetTopicAttributes`.

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::GetTopicAttributes;
use haechi_sns_model::shapes::{GetTopicAttributesInput, GetTopicAttributesResponse};

use crate::Sns;
use crate::store::{State, SubscriptionRecord};
use crate::topic_attributes::{self, Counts};

impl Handle<GetTopicAttributes> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetTopicAttributesInput,
    ) -> Result<GetTopicAttributesResponse, Error> {
        let topic = self.topic(cx, &input.topic_arn).await?;
        let prefix = topic.arn.place.subscriptions(&topic.record().id);
        let mut counts = Counts::default();
        for row in self.database.list_all::<SubscriptionRecord>(&prefix).await? {
            *match row.value.state {
                State::Pending => &mut counts.pending,
                State::Confirmed => &mut counts.confirmed,
                State::Ended => &mut counts.ended,
            } += 1;
        }
        let shown = topic_attributes::show(&topic.arn, &topic.record().attributes, &counts)?;
        Ok(GetTopicAttributesResponse { attributes: Some(shown) })
    }
}
