//! `Unsubscribe`.

use haechi_core::{Batch, Cx, Handle};
use haechi_policy::Principal;
use haechi_sns_model::Error;
use haechi_sns_model::ops::Unsubscribe;
use haechi_sns_model::shapes::UnsubscribeInput;
use haechi_wire::shape::Unit;

use crate::arn::SubscriptionArn;
use crate::store::State;
use crate::{Sns, confirmation};

impl Handle<Unsubscribe> for Sns {
    /// By the link of a message, without a signature, unless whoever confirmed has ruled that out;
    /// or by the owner of the subscription or of the topic.
    async fn handle(&self, cx: &Cx, input: UnsubscribeInput) -> Result<Unit, Error> {
        let is_signed = !matches!(cx.caller.principal, Principal::Anonymous);
        let found = if is_signed {
            self.subscription(cx, &input.subscription_arn).await?
        } else {
            let arn = SubscriptionArn::parse(cx, &input.subscription_arn)?;
            let found = self.find_subscription(arn).await?;
            found.filter(|found| found.record().state != State::Ended)
        };
        // That it has ended already is no failure.
        let Some(found) = found else { return Ok(Unit) };
        let mut record = found.record().clone();
        if !is_signed && record.guarded {
            let told = "This subscription can be ended by its owner only";
            return Err(Error::AuthorizationErrorException(told.to_owned()));
        }
        let (place, topic_id) = (&found.arn.topic.place, &found.topic.record.id);
        let mut batch = Batch::new();
        if record.state == State::Confirmed && confirmation::tells_end(&record.protocol) {
            self.release(place, topic_id, &record, &mut batch).await?;
            record.state = State::Ended;
            record.token = Some(confirmation::token(cx, &record.id)?);
            batch.replace(&found.loaded, &record);
            self.ask(cx, (&found.arn.topic, topic_id), &record, &mut batch)?;
        } else {
            self.forget(place, topic_id, &found.loaded, &mut batch).await?;
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
