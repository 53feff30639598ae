//! ARNs of topics and subscriptions: `arn:aws:sns:<region>:<account>:<topic>[:<subscription>]`.

use haechi_core::{AccountId, Cx, Region};
use haechi_sns_model::Error;
use haechi_wire::Fault;

use crate::error::{invalid, invalid_because};
use crate::store::Place;

/// A topic's ARN, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct TopicArn {
    pub(crate) account: AccountId,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) arn: String,
}

/// A subscription's ARN, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionArn {
    pub(crate) topic: TopicArn,
    pub(crate) id: String,
}

/// The parts of an ARN of SNS's in the call's Region. `parameter` is named in refusals.
fn parts<'a>(cx: &Cx, parameter: &str, arn: &'a str) -> Result<Vec<&'a str>, Error> {
    // Recorded of subscriptions, and of them alone.
    if arn.is_empty() && parameter == "SubscriptionArn" {
        return Err(invalid_because(parameter, "no value for required parameter"));
    }
    let parts: Vec<&str> = arn.split(':').collect();
    if parts.len() < 6 {
        let told = format!("An ARN must have at least 6 elements, not {}", parts.len());
        return Err(invalid_because(parameter, told));
    }
    let here = ["arn", cx.region.partition(), "sns", cx.region.as_str()];
    if parts.iter().zip(here).any(|(part, wanted)| *part != wanted) {
        return Err(invalid(parameter));
    }
    Ok(parts)
}

impl TopicArn {
    /// The topic that `arn` names; it must be in the call's Region.
    pub(crate) fn parse(cx: &Cx, arn: &str) -> Result<TopicArn, Error> {
        TopicArn::named(cx, "TopicArn", arn)
    }

    pub(crate) fn named(cx: &Cx, parameter: &str, arn: &str) -> Result<TopicArn, Error> {
        match parts(cx, parameter, arn)?.as_slice() {
            [_, _, _, _, account, name] if !name.is_empty() => {
                let account = AccountId::parse(account).ok_or_else(|| invalid(parameter))?;
                Ok(TopicArn::new(cx, account, name))
            }
            _ => Err(invalid(parameter)),
        }
    }

    /// A topic of an account in the call's Region.
    pub(crate) fn new(cx: &Cx, account: AccountId, name: &str) -> TopicArn {
        let region = cx.region.to_string();
        let arn = format!("arn:{}:sns:{region}:{account}:{name}", cx.region.partition());
        let place = Place { account: account.to_string(), region };
        TopicArn { account, place, name: name.to_owned(), arn }
    }
}

impl SubscriptionArn {
    /// The subscription that `arn` names; it must be in the call's Region.
    pub(crate) fn parse(cx: &Cx, arn: &str) -> Result<SubscriptionArn, Error> {
        match parts(cx, "SubscriptionArn", arn)?.as_slice() {
            [_, _, _, _, account, name, id] if is_id(id) && !name.is_empty() => {
                let account =
                    AccountId::parse(account).ok_or_else(|| invalid("SubscriptionArn"))?;
                let topic = TopicArn::new(cx, account, name);
                Ok(SubscriptionArn { topic, id: (*id).to_owned() })
            }
            _ => Err(invalid("SubscriptionId")),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Whether a text is the ARN of a queue (`sqs`) or a function (`lambda`) of the call's partition, as
/// the service itself writes it: by another, conditions on endpoints would see another endpoint.
pub(crate) fn is_endpoint(cx: &Cx, service: &str, text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, named, region, account, resource @ ..] = parts.as_slice() else {
        return false;
    };
    let names: &[&str] = match (service, resource) {
        ("sqs", [_]) => resource,
        ("lambda", ["function", names @ ..]) if (1..=2).contains(&names.len()) => names,
        _ => return false,
    };
    *named == service
        && *partition == cx.region.partition()
        && Region::parse(region).is_some_and(|region| region.partition() == *partition)
        && AccountId::parse(account).is_some()
        && names.iter().all(|name| !name.is_empty())
}

/// Where a topic's rows lie and whose it is, by an ARN that this service wrote itself.
pub(crate) fn own(arn: &str) -> Result<(Place, AccountId), Fault> {
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next(), parts.next().and_then(AccountId::parse));
    match (region, account) {
        (Some(region), Some(account)) => {
            let place = Place { account: account.to_string(), region: region.to_owned() };
            Ok((place, account))
        }
        _ => Err(Fault::internal("a topic's ARN cannot be read")),
    }
}
