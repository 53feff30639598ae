//! `ListTopics`.

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::ListTopics;
use haechi_sns_model::shapes::{ListTopicsInput, ListTopicsResponse, Topic};

use super::PAGE;
use crate::arn::TopicArn;
use crate::store::TopicRecord;
use crate::{Sns, topic};

impl Handle<ListTopics> for Sns {
    async fn handle(&self, cx: &Cx, input: ListTopicsInput) -> Result<ListTopicsResponse, Error> {
        topic::allow_any(cx)?;
        let place = super::place(cx);
        let from = super::cursor(input.next_token.as_deref())?;
        let page = self.database.list::<TopicRecord>(&place.topics(), from.as_ref(), PAGE).await?;
        let topics = page.items.into_iter().map(|row| {
            let arn = TopicArn::new(cx, cx.account().clone(), &row.value.name);
            Topic { topic_arn: Some(arn.arn) }
        });
        let topics = Some(topics.collect());
        Ok(ListTopicsResponse { topics, next_token: page.next.map(|next| next.encode()) })
    }
}
