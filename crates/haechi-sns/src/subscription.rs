//! A subscription by its ARN, and whether the caller may do what he asks with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::url::without_password;
use haechi_core::{Cx, Facts, Loaded};
use haechi_sns_model::Error;
use haechi_sns_model::shapes::Subscription as Shown;

use crate::Sns;
use crate::arn::SubscriptionArn;
use crate::delivery_policy::{Effective, shown_of_subscription};
use crate::store::{State, SubscriptionRecord};
use crate::topic::{self, TopicState};

/// What stands for the ARN of a subscription that nobody has confirmed, in lists.
const PENDING: &str = "PendingConfirmation";

/// A subscription that exists.
pub(crate) struct Subscription {
    pub(crate) arn: SubscriptionArn,
    pub(crate) topic: Arc<TopicState>,
    pub(crate) loaded: Loaded<SubscriptionRecord>,
}

impl Subscription {
    pub(crate) fn record(&self) -> &SubscriptionRecord {
        &self.loaded.value
    }
}

impl Sns {
    /// The subscription of an ARN, whoever calls; `None` if there is none.
    pub(crate) async fn find_subscription(
        &self,
        arn: SubscriptionArn,
    ) -> Result<Option<Subscription>, Error> {
        let Some(topic) = self.topic_state(&arn.topic).await? else { return Ok(None) };
        let path = arn.topic.place.subscription(&topic.record.id, &arn.id);
        let found = self.database.load::<SubscriptionRecord>(&path).await?;
        Ok(found.map(|loaded| Subscription { arn, topic, loaded }))
    }

    /// The subscription of an ARN that has not ended, if the caller may call this operation on it:
    /// its owner, or the topic's.
    pub(crate) async fn subscription(
        &self,
        cx: &Cx,
        arn: &str,
    ) -> Result<Option<Subscription>, Error> {
        let arn = SubscriptionArn::parse(cx, arn)?;
        let found = self.find_subscription(arn.clone()).await?;
        let mut subject = arn.topic;
        let owner = found.as_ref().map(|found| found.record().owner.as_str());
        if owner == Some(cx.account().as_str()) {
            // It is his, although the topic may not be.
            subject.account = cx.account().clone();
        }
        topic::allow(cx, cx.operation.action, &subject, None, Facts::default())?;
        Ok(found.filter(|found| found.record().state != State::Ended))
    }
}

/// As lists show it.
pub(crate) fn show(record: SubscriptionRecord) -> Shown {
    let arn = if record.state == State::Confirmed { record.arn() } else { PENDING.to_owned() };
    Shown {
        subscription_arn: Some(arn),
        owner: Some(record.owner),
        protocol: Some(record.protocol),
        endpoint: Some(without_password(&record.endpoint).into_owned()),
        topic_arn: Some(record.topic_arn),
    }
}

/// All attributes as answers show them.
pub(crate) fn attributes(
    record: &SubscriptionRecord,
    topic: &TopicState,
) -> Result<BTreeMap<String, String>, Error> {
    let pending = record.state == State::Pending;
    let mut shown = record.attributes.clone();
    let mut fact = |name: &str, value: String| shown.insert(name.to_owned(), value);
    fact("SubscriptionArn", record.arn());
    fact("TopicArn", record.topic_arn.clone());
    fact("Owner", record.owner.clone());
    fact("SubscriptionPrincipal", record.principal.clone());
    fact("Protocol", record.protocol.clone());
    fact("Endpoint", without_password(&record.endpoint).into_owned());
    fact("PendingConfirmation", pending.to_string());
    fact("ConfirmationWasAuthenticated", record.confirmed_by_owner.to_string());
    fact("RawMessageDelivery", record.is_raw().to_string());
    // The scope shows only with the policy that it is of.
    match record.attributes.contains_key("FilterPolicy") {
        true => {
            let scope = shown.entry("FilterPolicyScope".to_owned());
            scope.or_insert_with(|| "MessageAttributes".to_owned());
        }
        false => {
            shown.remove("FilterPolicyScope");
        }
    }
    if record.protocol.starts_with("http") {
        let text =
            |attributes: &BTreeMap<String, String>| attributes.get("DeliveryPolicy").cloned();
        let effective = Effective::of_topic(text(&topic.record.attributes).as_deref())?
            .with_subscription(text(&record.attributes).as_deref())?;
        shown.insert("EffectiveDeliveryPolicy".to_owned(), effective.show_subscription());
        if let Some(policy) = record.attributes.get("DeliveryPolicy") {
            shown.insert("DeliveryPolicy".to_owned(), shown_of_subscription(policy)?);
        }
    }
    Ok(shown)
}
