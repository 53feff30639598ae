//! A queue by its URL, and whether the caller may do what he asks with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{AccountId, Ask, Cx, Denied, Facts, Loaded, Permit, Resource, Unchecked};
use haechi_policy::{Document, ResourceRule};
use haechi_sqs_model::Error;
use haechi_wire::Fault;

use crate::attributes::Attributes;
use crate::error::{invalid, no_queue};
use crate::store::{Place, QueueRecord};
use crate::{Sqs, policy};

/// An action, and others that the call needs too.
pub(crate) type Actions<'a> = (&'a str, &'a [&'a str]);

/// What a queue's policy opens to nobody of another account (Developer Guide, "Limitations of Amazon
/// SQS custom policies").
const OWNERS_ALONE: [&str; 12] = [
    "sqs:AddPermission",
    "sqs:CancelMessageMoveTask",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:ListMessageMoveTasks",
    "sqs:ListQueueTags",
    "sqs:ListQueues",
    "sqs:RemovePermission",
    "sqs:SetQueueAttributes",
    "sqs:StartMessageMoveTask",
    "sqs:TagQueue",
    "sqs:UntagQueue",
];

/// A queue that exists.
pub(crate) struct Queue {
    pub(crate) place: Place,
    pub(crate) arn: String,
    pub(crate) loaded: Loaded<QueueRecord>,
}

impl Queue {
    pub(crate) fn record(&self) -> &QueueRecord {
        &self.loaded.value
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes(&self.record().attributes)
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.record().name.ends_with(".fifo")
    }

    /// Whether deduplication ids are told apart by message group at this time.
    pub(crate) fn deduplicates_by_group(&self, now_ms: i64) -> bool {
        let before = self.record().scope_before.filter(|before| now_ms < before.until_ms);
        before.map_or(self.attributes().deduplicates_by_group(), |before| before.by_group)
    }

    fn policy(&self) -> Result<Option<Arc<Document>>, Fault> {
        let Some(text) = self.record().attributes.get("Policy") else { return Ok(None) };
        let mut document = policy::parse(text).map_err(Fault::internal)?;
        self.record().policy_principals.bind(&mut document);
        Ok(Some(Arc::new(document)))
    }
}

/// Account and name at the end of a queue's URL, whatever comes before.
pub(crate) fn parse_url(url: &str) -> Option<(AccountId, &str)> {
    let (rest, name) = url.trim_end_matches('/').rsplit_once('/')?;
    let account = rest.rsplit('/').next()?;
    Some((AccountId::parse(account)?, name)).filter(|(_, name)| !name.is_empty())
}

/// A name alone is that of a queue of the caller's account.
fn own<'a>(cx: &Cx, name: &'a str) -> Option<(AccountId, &'a str)> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = !name.is_empty() && name.len() <= 80 && name.bytes().all(plain);
    is_name.then(|| (cx.account().clone(), name))
}

/// The URL of a queue, at the host by which the caller reached this server.
pub(crate) fn url(cx: &Cx, account: &str, name: &str) -> String {
    let scheme = if cx.request.secure_transport { "https" } else { "http" };
    let host = cx.request.host.as_deref();
    match host {
        Some(host) => format!("{scheme}://{host}/{account}/{name}"),
        None => format!("{scheme}://sqs.{}.localhost/{account}/{name}", cx.region),
    }
}

/// The ARN of a queue in the call's Region.
pub(crate) fn arn(cx: &Cx, account: &str, name: &str) -> String {
    format!("arn:{}:sqs:{}:{account}:{name}", cx.region.partition(), cx.region)
}

/// Account and name of an ARN of a queue in the call's Region.
pub(crate) fn parse_arn(cx: &Cx, arn: &str) -> Option<(AccountId, String)> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "sqs", region, account, name]
            if *partition == cx.region.partition() && *region == cx.region.as_str() =>
        {
            Some((AccountId::parse(account)?, (*name).to_owned()))
        }
        _ => None,
    }
}

impl Sqs {
    /// The queue of a URL, if the caller may call this operation on it.
    pub(crate) async fn queue(&self, cx: &Cx, url: &str) -> Result<(Queue, Permit), Error> {
        self.queue_knowing(cx, url, Facts::default()).await
    }

    /// The same, of a call that changes tags.
    pub(crate) async fn queue_knowing(
        &self,
        cx: &Cx,
        url: &str,
        facts: Facts<'_>,
    ) -> Result<(Queue, Permit), Error> {
        let Some((account, name)) = parse_url(url).or_else(|| own(cx, url)) else {
            return Err(no_queue());
        };
        self.decided(cx, (action(cx), &[]), (&account, name), facts).await
    }

    /// Refuses a redrive policy, told as it was sent, whose dead-letter queue is not there: it lies
    /// beside the queue.
    pub(crate) async fn has_dead_letters(
        &self,
        cx: &Cx,
        source: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let Some(redrive) = Attributes(attributes).redrive() else { return Ok(()) };
        let name = redrive.target_arn.rsplit(':').next().unwrap_or_default();
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let beside = redrive.target_arn == arn(cx, &place.account, name);
        let value = attributes.get("RedrivePolicy").map_or("", String::as_str);
        let refused = |reason: &str| Err(invalid("RedrivePolicy", value, reason));
        if redrive.target_arn.split(':').count() != 6 || !redrive.target_arn.starts_with("arn:") {
            return refused("Invalid value for deadLetterTargetArn.");
        }
        let found = self.database.load::<QueueRecord>(&place.queue(name)).await?;
        let Some(found) = found.filter(|_| beside) else {
            return refused("Dead letter target does not exist.");
        };
        if name.ends_with(".fifo") != source.ends_with(".fifo") {
            return refused("Dead-letter queue must be same type of queue as the source.");
        }
        if !Attributes(&found.value.attributes).takes_from(source) {
            return refused("The dead-letter queue does not allow this queue as its source.");
        }
        Ok(())
    }

    /// The queue of an account and a name, if the caller may call this operation on it.
    pub(crate) async fn queue_named(
        &self,
        cx: &Cx,
        account: &AccountId,
        name: &str,
    ) -> Result<(Queue, Permit), Error> {
        self.queue_for(cx, (action(cx), &[]), account, name).await
    }

    /// The same, of a call that needs other actions than its own.
    pub(crate) async fn queue_for(
        &self,
        cx: &Cx,
        actions: Actions<'_>,
        account: &AccountId,
        name: &str,
    ) -> Result<(Queue, Permit), Error> {
        self.decided(cx, actions, (account, name), Facts::default()).await
    }

    /// The queues whose dead letters go to this one.
    pub(crate) async fn dead_letter_sources(
        &self,
        target: &Queue,
    ) -> Result<Vec<QueueRecord>, Fault> {
        let queues = self.database.list_all::<QueueRecord>(&target.place.queues()).await?;
        let is_source = |queue: &QueueRecord| {
            let redrive = Attributes(&queue.attributes).redrive();
            redrive.is_some_and(|redrive| redrive.target_arn == target.arn)
        };
        Ok(queues.into_iter().map(|queue| queue.value).filter(is_source).collect())
    }

    async fn decided(
        &self,
        cx: &Cx,
        actions: Actions<'_>,
        (account, name): (&AccountId, &str),
        facts: Facts<'_>,
    ) -> Result<(Queue, Permit), Error> {
        let place = Place { account: account.to_string(), region: cx.region.to_string() };
        let arn = arn(cx, account.as_str(), name);
        let is_strangers = account != cx.account();
        let (policy, account) = (None, account.to_string());
        let mut subject =
            Subject { actions, arn: arn.clone(), account, is_strangers, policy, facts };
        let found = self.database.load::<QueueRecord>(&place.queue(name)).await?;
        let Some(loaded) = found else {
            // A stranger learns nothing of what exists in an account that is not his.
            allow(cx, (), subject)?;
            return Err(no_queue());
        };
        cx.note(Resource {
            arn: arn.clone(),
            account: subject.account.clone(),
            kind: "AWS::SQS::Queue",
        });
        let tags = loaded.value.tags.clone();
        subject.facts.of_resource = Some(&tags);
        let queue = Queue { place, arn, loaded };
        subject.policy = queue.policy()?;
        allow(cx, queue, subject)
    }
}

/// What a decision about a queue goes by.
struct Subject<'a> {
    actions: Actions<'a>,
    arn: String,
    account: String,
    /// Whether the caller is of another account.
    is_strangers: bool,
    policy: Option<Arc<Document>>,
    facts: Facts<'a>,
}

impl Subject<'_> {
    fn ask<'a>(&'a self, action: &'a str) -> Ask<'a> {
        let is_closed = self.is_strangers && OWNERS_ALONE.contains(&action);
        Ask {
            action,
            resource: &self.arn,
            resource_account: &self.account,
            policy: self.policy.as_ref().filter(|_| !is_closed),
            rule: ResourceRule::Union,
            context: &self.facts,
        }
    }
}

fn allow<T>(cx: &Cx, queue: T, subject: Subject<'_>) -> Result<(T, Permit), Error> {
    let refused = |denied: Denied| denied_in_small(&denied.message);
    let unchecked = Unchecked::new((queue, subject));
    let decided = unchecked.decide(cx, |(_, subject)| subject.ask(subject.actions.0));
    let ((queue, subject), permit) = decided.map_err(refused)?;
    for action in subject.actions.1 {
        cx.decide(&subject.ask(action)).map_err(refused)?;
    }
    Ok((queue, permit))
}

/// A denial in SQS's words: by its code of the time of query, as with all of its errors, and the
/// action in small letters.
fn denied_in_small(message: &str) -> Error {
    let small = |word: &str| {
        if word.starts_with("sqs:") { word.to_ascii_lowercase() } else { word.to_owned() }
    };
    let words: Vec<String> = message.split(' ').map(small).collect();
    Error::AccessDeniedException(words.join(" "))
}

/// What a call that is about no queue yet is refused with.
pub(crate) fn denied(fault: Fault) -> Error {
    match fault {
        Fault::AccessDenied(message) => denied_in_small(&message),
        other => other.into(),
    }
}

/// Batches need the permission of the single call (Developer Guide, "SQS API permissions").
fn action(cx: &Cx) -> &'static str {
    let action = cx.operation.action;
    action.strip_suffix("Batch").unwrap_or(action)
}

#[cfg(test)]
mod tests {
    use super::parse_url;

    #[test]
    fn a_queue_is_named_by_the_end_of_its_url() {
        for url in [
            "https://sqs.us-east-1.amazonaws.com/111122223333/orders",
            "http://localhost:4566/111122223333/orders",
            "http://localhost:4566/111122223333/orders/",
            "/111122223333/orders",
        ] {
            let (account, name) = parse_url(url).unwrap();
            assert_eq!((account.as_str(), name), ("111122223333", "orders"), "{url}");
        }
        for wrong in ["", "orders", "http://localhost/orders", "https://h/1111/orders"] {
            assert!(parse_url(wrong).is_none(), "{wrong}");
        }
    }
}
