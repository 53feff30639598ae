//! `Subscribe`.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::url::without_password;
use haechi_core::{Batch, Cx, Facts, Handle, Loaded};
use haechi_sns_model::Error;
use haechi_sns_model::ops::Subscribe;
use haechi_sns_model::shapes::{SubscribeInput, SubscribeResponse};
use haechi_wire::Fault;

use crate::arn::{self, TopicArn};
use crate::error::{invalid, invalid_because};
use crate::message::is_phone_number;
use crate::store::{ElsewhereRecord, EndpointRecord, Place, State, SubscriptionRecord};
use crate::subscription_attributes::{self, Subject};
use crate::topic::Topic;
use crate::{Sns, confirmation};

/// What a caller is told in place of an ARN while the endpoint has not agreed.
const PENDING: &str = "pending confirmation";

impl Handle<Subscribe> for Sns {
    async fn handle(&self, cx: &Cx, input: SubscribeInput) -> Result<SubscribeResponse, Error> {
        let arn = TopicArn::parse(cx, &input.topic_arn)?;
        let (protocol, endpoint) = (input.protocol, input.endpoint.unwrap_or_default());
        let facts = Facts::default()
            .with("sns:protocol", [protocol.clone()])
            .with("sns:endpoint", Some(endpoint.clone()).filter(|text| !text.is_empty()));
        let topic = self.topic_with(cx, arn, facts).await?;
        self.check_endpoint(cx, &topic, &protocol, &endpoint)?;
        let subject = Subject {
            topic_is_fifo: topic.is_fifo(),
            protocol: &protocol,
            endpoint: &endpoint,
            is_new: true,
        };
        let (mut attributes, wanted) = (BTreeMap::new(), input.attributes.unwrap_or_default());
        subscription_attributes::set(cx, &subject, &mut attributes, &wanted)?;
        let mut batch = Batch::new();
        batch.unchanged(&topic.loaded);
        let existing = self.subscription_of_endpoint(&topic, &protocol, &endpoint).await?;
        let record = match existing.filter(|found| found.value.state != State::Ended) {
            Some(found) => {
                same(&found.value, &wanted)?;
                if found.value.state == State::Pending {
                    self.ask(cx, (&topic.arn, &topic.record().id), &found.value, &mut batch)?;
                }
                found.value
            }
            None => self.subscribe(cx, &topic, (protocol, endpoint, attributes), &mut batch)?,
        };
        self.database.commit(batch).await?;
        let shows = record.state == State::Confirmed || input.return_subscription_arn == Some(true);
        let subscription_arn = if shows { record.arn() } else { PENDING.to_owned() };
        Ok(SubscribeResponse { subscription_arn: Some(subscription_arn) })
    }
}

impl Sns {
    fn subscribe(
        &self,
        cx: &Cx,
        topic: &Topic,
        (protocol, endpoint, attributes): (String, String, BTreeMap<String, String>),
        batch: &mut Batch,
    ) -> Result<SubscriptionRecord, Error> {
        let (place, topic_id) = (&topic.arn.place, &topic.record().id);
        let id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let owner = cx.account().to_string();
        // Whoever owns the endpoint need not confirm what he has asked for.
        let is_own = protocol == "lambda"
            || (protocol == "sqs" && endpoint.split(':').nth(4) == Some(owner.as_str()));
        let token = if is_own { None } else { Some(confirmation::token(cx, &id)?) };
        let record = SubscriptionRecord {
            topic_arn: topic.arn.arn.clone(),
            principal: cx.caller.arn().to_owned(),
            state: if is_own { State::Confirmed } else { State::Pending },
            confirmed_by_owner: is_own,
            guarded: false,
            unknown: Unknown::new(),
            id,
            owner,
            protocol,
            endpoint,
            attributes,
            token,
        };
        batch.create(place.subscription(topic_id, &record.id), &record);
        self.point_to(place, topic_id, &record, batch);
        if record.state == State::Pending {
            self.ask(cx, (&topic.arn, topic_id), &record, batch)?;
        }
        Ok(record)
    }

    /// Writes what points to a subscription.
    pub(crate) fn point_to(
        &self,
        place: &Place,
        topic_id: &str,
        record: &SubscriptionRecord,
        batch: &mut Batch,
    ) {
        let path = place.endpoint(topic_id, &record.protocol, &record.endpoint);
        let subscription = record.id.clone();
        batch.put(path, &EndpointRecord { subscription, unknown: Unknown::new() });
        if record.owner != place.account {
            let elsewhere = ElsewhereRecord {
                topic_arn: record.topic_arn.clone(),
                topic_id: topic_id.to_owned(),
                subscription: record.id.clone(),
                unknown: Unknown::new(),
            };
            let own = Place { account: record.owner.clone(), region: place.region.clone() };
            batch.put(own.elsewhere(&record.id), &elsewhere);
        }
    }

    async fn subscription_of_endpoint(
        &self,
        topic: &Topic,
        protocol: &str,
        endpoint: &str,
    ) -> Result<Option<Loaded<SubscriptionRecord>>, Fault> {
        let (place, id) = (&topic.arn.place, &topic.record().id);
        let path = place.endpoint(id, protocol, endpoint);
        let Some(found) = self.database.load::<EndpointRecord>(&path).await? else {
            return Ok(None);
        };
        self.database.load(&place.subscription(id, &found.value.subscription)).await
    }

    fn check_endpoint(
        &self,
        cx: &Cx,
        topic: &Topic,
        protocol: &str,
        endpoint: &str,
    ) -> Result<(), Error> {
        match protocol {
            "sms" if !plain_number(endpoint).is_some_and(|plain| is_phone_number(&plain)) => {
                let told = format!("Invalid SMS endpoint: {}", without_password(endpoint));
                return Err(Error::InvalidParameterException(told));
            }
            "sms" | "application" | "firehose" => {
                return Err(cx.unsupported_parameter(&format!("Protocol={protocol}")).into());
            }
            "http" | "https" | "email" | "email-json" | "sqs" | "lambda" => {}
            other => {
                let told = format!("Amazon SNS does not support this protocol string: {other}");
                return Err(invalid(told));
            }
        }
        if endpoint.is_empty() {
            return Err(invalid_because("Endpoint", "no value for required parameter"));
        }
        match protocol {
            "sqs" if !arn::is_endpoint(cx, "sqs", endpoint) => Err(invalid("SQS endpoint ARN")),
            "sqs" if endpoint.ends_with(".fifo") && !topic.is_fifo() => Err(invalid(
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
            )),
            "lambda" if !arn::is_endpoint(cx, "lambda", endpoint) => {
                Err(invalid("Lambda endpoint ARN"))
            }
            "http" | "https" if !endpoint.starts_with(&format!("{protocol}://")) => {
                Err(invalid("Endpoint must match the specified protocol"))
            }
            "email" | "email-json" if !is_address(endpoint) => Err(invalid("Email address")),
            "sqs" => Ok(()),
            _ if topic.is_fifo() => Err(invalid(format!("Invalid protocol type: {protocol}"))),
            _ if !self.endpoints.serves(protocol) => {
                Err(cx.unsupported_parameter(&format!("Protocol={protocol}")).into())
            }
            _ => Ok(()),
        }
    }
}

/// Subscribing again is no failure, if nothing is to be different.
fn same(record: &SubscriptionRecord, wanted: &BTreeMap<String, String>) -> Result<(), Error> {
    let has = |name: &str| {
        let set = record.attributes.get(name).map(String::as_str);
        set.or_else(|| subscription_attributes::default(name))
    };
    if wanted.iter().any(|(name, value)| has(name) != Some(value)) {
        let told = "Subscription already exists with different attributes";
        return Err(invalid_because("Attributes", told));
    }
    Ok(())
}

/// A telephone number without what sets its groups of digits apart; none where two such stand
/// together, or one at an end (recorded).
fn plain_number(text: &str) -> Option<String> {
    let sets_apart = |character: char| matches!(character, '.' | '/' | '-');
    let mut groups = text.split(sets_apart);
    groups.clone().all(|group| !group.is_empty()).then(|| groups.by_ref().collect())
}

/// Whether a text looks like the address of a mailbox.
fn is_address(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&byte);
    text.len() <= 254
        && text.bytes().all(plain)
        && matches!(text.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@'))
}
