//! `ListSubscriptions`.

use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::ListSubscriptions;
use haechi_sns_model::shapes::{ListSubscriptionsInput, ListSubscriptionsResponse};

use super::PAGE;
use crate::arn;
use crate::error::invalid;
use crate::store::{ElsewhereRecord, State, SubscriptionRecord};
use crate::{Sns, subscription, topic};

/// How tokens begin whose pages are of subscriptions to topics of others.
const ELSEWHERE: &str = "elsewhere.";

impl Handle<ListSubscriptions> for Sns {
    /// The caller's: first those of his own topics, then those of others'.
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSubscriptionsInput,
    ) -> Result<ListSubscriptionsResponse, Error> {
        topic::allow_any(cx)?;
        let place = super::place(cx);
        let token = input.next_token.as_deref();
        let mut shown = Vec::new();
        if let Some(rest) = token.and_then(|token| token.strip_prefix(ELSEWHERE)) {
            let from = if rest.is_empty() { None } else { super::cursor(Some(rest))? };
            let prefix = place.all_elsewhere();
            let page = self.database.list::<ElsewhereRecord>(&prefix, from.as_ref(), PAGE).await?;
            for row in page.items {
                let (owner, _) = arn::own(&row.value.topic_arn)?;
                let path = owner.subscription(&row.value.topic_id, &row.value.subscription);
                let found = self.database.load::<SubscriptionRecord>(&path).await?;
                shown.extend(found.map(|found| subscription::show(found.value)));
            }
            let next_token = page.next.map(|next| format!("{ELSEWHERE}{}", next.encode()));
            return Ok(ListSubscriptionsResponse { subscriptions: Some(shown), next_token });
        }
        let from = token.map(|token| Cursor::decode(token).ok_or_else(|| invalid("NextToken")));
        let prefix = place.all_subscriptions();
        let from = from.transpose()?;
        let page = self.database.list::<SubscriptionRecord>(&prefix, from.as_ref(), PAGE).await?;
        let mine = page
            .items
            .into_iter()
            .map(|row| row.value)
            .filter(|record| record.owner == place.account && record.state != State::Ended);
        shown.extend(mine.map(subscription::show));
        let more = || async {
            let prefix = place.all_elsewhere();
            let page = self.database.list::<ElsewhereRecord>(&prefix, None, 1).await;
            page.map(|page| !page.items.is_empty())
        };
        let next_token = match page.next {
            Some(next) => Some(next.encode()),
            None => more().await?.then(|| ELSEWHERE.to_owned()),
        };
        Ok(ListSubscriptionsResponse { subscriptions: Some(shown), next_token })
    }
}
