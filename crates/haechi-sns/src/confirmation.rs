//! Endpoints that have to agree before they get messages, and may take back that they left.

use haechi_core::{Batch, Cx, Job};
use haechi_sns_model::Error;
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::Sns;
use crate::arn::TopicArn;
use crate::delivery::{self, Delivery};
use crate::error::invalid;
use crate::message::{Kind, Published};
use crate::store::{State, SubscriptionRecord, Token};

/// The kind of the job that ends what nobody confirmed.
pub(crate) const EXPIRY: &str = "sns-expiry";

/// How long a token holds: three days.
const TOKEN_SECONDS: i64 = 3 * 24 * 3600;

/// Characters of the secret part of a token: 256 bits.
const SECRET_CHARACTERS: usize = 64;

/// Which subscription may have to go.
#[derive(Serialize, Deserialize)]
pub(crate) struct Expiring {
    pub(crate) topic_arn: String,
    pub(crate) topic_id: String,
    pub(crate) subscription: String,
}

/// A new token: the subscription's id, and a secret.
pub(crate) fn token(cx: &Cx, subscription: &str) -> Result<Token, Fault> {
    let secret = cx.env.characters(b"0123456789abcdef", SECRET_CHARACTERS);
    let secret = secret.map_err(Fault::internal)?;
    let text = format!("{}{secret}", subscription.replace('-', ""));
    Ok(Token { text, until_ms: cx.now().plus_seconds(TOKEN_SECONDS).millis() })
}

/// The subscription that a token is of.
pub(crate) fn subscription_of(token: &str) -> Result<String, Error> {
    if token.len() < 90 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::InvalidParameterException("Invalid token".to_owned()));
    }
    let part = |range: std::ops::Range<usize>| token.get(range).unwrap_or_default();
    let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)];
    Ok(parts.join("-"))
}

/// Whether a subscription may be confirmed with this token.
pub(crate) fn is_valid(record: &SubscriptionRecord, token: &str, now_ms: i64) -> bool {
    record.token.as_ref().is_some_and(|known| {
        let same = known.text.as_bytes().ct_eq(token.as_bytes());
        bool::from(same) && known.until_ms > now_ms
    })
}

/// What tells an endpoint how to confirm.
fn text(record: &SubscriptionRecord) -> (Kind, String) {
    let visit = "visit the SubscribeURL included in this message.";
    if record.state == State::Ended {
        let arn = record.arn();
        let told = format!(
            "You have chosen to deactivate subscription {arn}.\nTo cancel this operation and restore the subscription, {visit}"
        );
        return (Kind::UnsubscribeConfirmation, told);
    }
    let topic = &record.topic_arn;
    let told = format!(
        "You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, {visit}"
    );
    (Kind::SubscriptionConfirmation, told)
}

impl Sns {
    /// Asks the endpoint of a subscription with a token, and ends the subscription if it does not
    /// answer.
    pub(crate) fn ask(
        &self,
        cx: &Cx,
        (arn, topic_id): (&TopicArn, &str),
        record: &SubscriptionRecord,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let Some(token) = &record.token else { return Err(invalid("Token")) };
        let (kind, body) = text(record);
        let url = self.url(cx);
        let message = Published::asking(cx, kind, (body, token.text.clone(), url))?;
        let delivery = Delivery::new(arn, topic_id, record, message);
        batch.schedule(&delivery.first_job(cx.now())?);
        let expiring = Expiring {
            topic_arn: arn.arn.clone(),
            topic_id: topic_id.to_owned(),
            subscription: record.id.clone(),
        };
        let payload = serde_json::to_string(&expiring).map_err(Fault::internal)?;
        let due = haechi_wire::Timestamp::from_millis(token.until_ms);
        batch.schedule(&Job::new(EXPIRY, &record.id, due, payload));
        Ok(())
    }

    /// Where the caller reaches this server; where nobody came by a URL, where it says itself.
    pub(crate) fn url(&self, cx: &Cx) -> String {
        let scheme = if cx.request.secure_transport { "https" } else { "http" };
        match (&cx.request.host, self.url.get()) {
            (Some(host), _) => format!("{scheme}://{host}"),
            (None, Some(url)) => url.clone(),
            (None, None) => format!("https://sns.{}.localhost", cx.region),
        }
    }
}

/// Whether endpoints of a protocol are told when their subscription ends: those that others own.
pub(crate) fn tells_end(protocol: &str) -> bool {
    delivery::Carrier::of(protocol) != delivery::Carrier::Service
}

#[cfg(test)]
mod tests {
    use super::subscription_of;

    #[test]
    fn a_token_names_its_subscription() {
        let id = "0123abcd-0000-4000-8000-0123456789ab";
        let token = format!("{}{}", id.replace('-', ""), "0".repeat(64));
        assert_eq!(subscription_of(&token).unwrap(), id);
        assert!(subscription_of("randomtoken").is_err());
        assert!(subscription_of(&"é".repeat(60)).is_err());
    }
}
