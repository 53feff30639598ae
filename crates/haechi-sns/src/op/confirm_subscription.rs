//! `ConfirmSubscription`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_policy::Principal;
use haechi_sns_model::Error;
use haechi_sns_model::ops::ConfirmSubscription;
use haechi_sns_model::shapes::{ConfirmSubscriptionInput, ConfirmSubscriptionResponse};

use crate::arn::{SubscriptionArn, TopicArn};
use crate::error::invalid;
use crate::store::{EndpointRecord, State};
use crate::topic;
use crate::{Sns, confirmation};

impl Handle<ConfirmSubscription> for Sns {
    /// By a link, without a signature, or by the owner of the endpoint, with one: the token is what
    /// counts.
    async fn handle(
        &self,
        cx: &Cx,
        input: ConfirmSubscriptionInput,
    ) -> Result<ConfirmSubscriptionResponse, Error> {
        let topic = TopicArn::parse(cx, &input.topic_arn)?;
        let is_signed = !matches!(cx.caller.principal, Principal::Anonymous);
        if is_signed {
            // The topic may be another account's: that his own account lets him is enough.
            let subject = TopicArn { account: cx.account().clone(), ..topic.clone() };
            topic::allow(cx, cx.operation.action, &subject, None, Facts::default())?;
        }
        let id = confirmation::subscription_of(&input.token)?;
        let found = self.find_subscription(SubscriptionArn { topic, id }).await?;
        let now_ms = cx.now().millis();
        let found = found
            .filter(|found| confirmation::is_valid(found.record(), &input.token, now_ms))
            .ok_or_else(|| invalid("Token"))?;
        let mut record = found.record().clone();
        let answer = ConfirmSubscriptionResponse { subscription_arn: Some(record.arn()) };
        if record.state == State::Confirmed {
            return Ok(answer);
        }
        let (place, topic_id) = (&found.arn.topic.place, &found.topic.record.id);
        let mut batch = Batch::new();
        if record.state == State::Ended {
            let path = place.endpoint(topic_id, &record.protocol, &record.endpoint);
            if self.database.load::<EndpointRecord>(&path).await?.is_some() {
                // The endpoint has subscribed anew meanwhile.
                return Err(invalid("Token"));
            }
            self.point_to(place, topic_id, &record, &mut batch);
        }
        record.state = State::Confirmed;
        record.confirmed_by_owner = is_signed;
        let guard = input.authenticate_on_unsubscribe.as_deref();
        record.guarded = is_signed && guard.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        batch.replace(&found.loaded, &record);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}
