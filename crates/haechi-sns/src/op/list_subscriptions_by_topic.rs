//! `ListSubscriptionsByTopic`.

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::ListSubscriptionsByTopic;
use haechi_sns_model::shapes::{ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse};

use super::PAGE;
use crate::store::{State, SubscriptionRecord};
use crate::{Sns, subscription};

impl Handle<ListSubscriptionsByTopic> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSubscriptionsByTopicInput,
    ) -> Result<ListSubscriptionsByTopicResponse, Error> {
        let topic = self.topic(cx, &input.topic_arn).await?;
        let from = super::cursor(input.next_token.as_deref())?;
        let prefix = topic.arn.place.subscriptions(&topic.record().id);
        let page = self.database.list::<SubscriptionRecord>(&prefix, from.as_ref(), PAGE).await?;
        let there = page.items.into_iter().map(|row| row.value);
        let there = there.filter(|record| record.state != State::Ended);
        Ok(ListSubscriptionsByTopicResponse {
            subscriptions: Some(there.map(subscription::show).collect()),
            next_token: page.next.map(|next| next.encode()),
        })
    }
}
