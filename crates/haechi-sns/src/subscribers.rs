//! The subscriptions of a topic, compiled and kept until any of the account's changes.

use std::sync::Arc;

use haechi_wire::Fault;

use crate::Sns;
use crate::filter::Filter;
use crate::message::Published;
use crate::store::{Place, State, SubscriptionRecord};
use crate::subscription_attributes::filter;

/// A subscription that gets messages.
pub(crate) struct Subscriber {
    pub(crate) subscription: SubscriptionRecord,
    filter: Option<Filter>,
}

impl Subscriber {
    /// Whether it wants a message.
    pub(crate) fn wants(&self, message: &Published) -> bool {
        let body = message.body(&self.subscription.protocol);
        self.filter.as_ref().is_none_or(|filter| filter.wants(&message.attributes, body))
    }
}

impl Sns {
    /// Those of a topic that are confirmed.
    pub(crate) async fn subscribers(
        &self,
        place: &Place,
        topic_id: &str,
    ) -> Result<Arc<Vec<Subscriber>>, Fault> {
        let build = async {
            let prefix = place.subscriptions(topic_id);
            let rows = self.database.list_all::<SubscriptionRecord>(&prefix).await?;
            let confirmed = rows.into_iter().filter(|row| row.value.state == State::Confirmed);
            let compiled = confirmed.map(|row| {
                let filter = filter(&row.value.attributes).map_err(Fault::internal)?;
                Ok(Subscriber { subscription: row.value, filter })
            });
            compiled.collect::<Result<Vec<_>, Fault>>().map(Some)
        };
        let kept = self.database.derived(&place.scope(), topic_id, build).await?;
        Ok(kept.unwrap_or_default())
    }
}
