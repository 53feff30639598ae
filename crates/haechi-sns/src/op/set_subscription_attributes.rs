//! `SetSubscriptionAttributes`.

use std::collections::BTreeMap;

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::SetSubscriptionAttributes;
use haechi_sns_model::shapes::SetSubscriptionAttributesInput;
use haechi_wire::shape::Unit;

use crate::Sns;
use crate::error::no_subscription;
use crate::subscription_attributes::{self, Subject};

impl Handle<SetSubscriptionAttributes> for Sns {
    async fn handle(&self, cx: &Cx, input: SetSubscriptionAttributesInput) -> Result<Unit, Error> {
        let found = self.subscription(cx, &input.subscription_arn).await?;
        let found = found.ok_or_else(no_subscription)?;
        let mut record = found.record().clone();
        let subject = Subject {
            topic_is_fifo: found.topic.is_fifo(),
            protocol: &found.record().protocol,
            endpoint: &found.record().endpoint,
            is_new: false,
        };
        let value = input.attribute_value.unwrap_or_default();
        let wanted = BTreeMap::from([(input.attribute_name, value)]);
        subscription_attributes::set(cx, &subject, &mut record.attributes, &wanted)?;
        let mut batch = Batch::new();
        batch.replace(&found.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
