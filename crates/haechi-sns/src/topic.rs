//! A topic by its ARN, and whether the caller may do what he asks with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Ask, Cx, Denied, Facts, Loaded, NoContext, Resource};
use haechi_policy::{Document, Principal, ResourceRule};
use haechi_sns_model::Error;
use haechi_wire::Fault;
use serde_json::json;

use crate::Sns;
use crate::arn::TopicArn;
use crate::error::no_topic;
use crate::permission;
use crate::store::TopicRecord;

/// What `AddPermission` may allow, and the topic's own account by default.
pub(crate) const ACTIONS: [&str; 8] = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
];

/// A topic as publishing needs it: kept until its row changes.
pub(crate) struct TopicState {
    pub(crate) record: TopicRecord,
    /// `None` once its last statement was removed: only what identities may do counts then.
    pub(crate) policy: Option<Arc<Document>>,
}

impl TopicState {
    pub(crate) fn is_fifo(&self) -> bool {
        self.record.name.ends_with(".fifo")
    }

    fn is_set(&self, name: &str, value: &str) -> bool {
        self.record.attributes.get(name).is_some_and(|set| set == value)
    }

    pub(crate) fn has_content_based_deduplication(&self) -> bool {
        self.is_set("ContentBasedDeduplication", "true")
    }

    /// Whether deduplication ids are told apart by message group.
    pub(crate) fn deduplicates_by_group(&self) -> bool {
        self.is_set("FifoThroughputScope", "MessageGroup")
    }
}

/// A topic that exists and that the caller may do something with.
pub(crate) struct Topic {
    pub(crate) arn: TopicArn,
    pub(crate) loaded: Loaded<TopicRecord>,
}

impl Topic {
    pub(crate) fn record(&self) -> &TopicRecord {
        &self.loaded.value
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.record().name.ends_with(".fifo")
    }
}

/// The policy of a topic that has none of its own, as AWS writes it.
pub(crate) fn default_policy(arn: &TopicArn) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ACTIONS.map(|action| format!("SNS:{action}")),
            "Resource": arn.arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": arn.account.as_str()}},
        }],
    })
    .to_string()
}

/// The policy that holds for a topic.
pub(crate) fn policy(arn: &TopicArn, attributes: &BTreeMap<String, String>) -> String {
    attributes.get("Policy").cloned().unwrap_or_else(|| default_policy(arn))
}

/// Decides `action` on a topic.
///
/// # Errors
/// `AuthorizationError`.
pub(crate) fn allow(
    cx: &Cx,
    action: &str,
    arn: &TopicArn,
    policy: Option<&Arc<Document>>,
    facts: Facts<'_>,
) -> Result<(), Error> {
    cx.note(Resource {
        arn: arn.arn.clone(),
        account: arn.account.to_string(),
        kind: "AWS::SNS::Topic",
    });
    // EventBridge is newer than this key, which the default policy asks for; older services than
    // it set it.
    let by_service = matches!(&cx.caller.principal, Principal::Service { name } if name != "events.amazonaws.com");
    let source = cx.source().filter(|_| by_service);
    let owner = source.map(|source| source.account.to_string());
    let facts = facts.with("aws:sourceowner", owner);
    let decided = cx.decide(&Ask {
        action,
        resource: &arn.arn,
        resource_account: arn.account.as_str(),
        policy,
        rule: ResourceRule::Union,
        context: &facts,
    });
    decided.map(|_| ()).map_err(|refused| denied(action, refused))
}

/// Decides an operation on all of the caller's.
///
/// # Errors
/// `AuthorizationError`.
pub(crate) fn allow_any(cx: &Cx) -> Result<(), Error> {
    let decided = cx.decide(&Ask {
        action: cx.operation.action,
        resource: "*",
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context: &NoContext,
    });
    decided.map(|_| ()).map_err(|refused| denied(cx.operation.action, refused))
}

/// A denial in SNS's words: it writes its own name in capitals where it names an action.
fn denied(action: &str, denied: Denied) -> Error {
    let shown = action.replace("sns:", "SNS:");
    Error::AuthorizationErrorException(denied.message.replace(action, &shown))
}

/// The action of an operation: batches need the permission of the single call.
fn action(cx: &Cx) -> &'static str {
    let action = cx.operation.action;
    action.strip_suffix("Batch").unwrap_or(action)
}

impl Sns {
    /// The topic of an ARN, if the caller may call this operation on it.
    pub(crate) async fn topic(&self, cx: &Cx, arn: &str) -> Result<Topic, Error> {
        self.topic_with(cx, TopicArn::parse(cx, arn)?, Facts::default()).await
    }

    /// As [`Self::topic`], with what conditions see.
    pub(crate) async fn topic_with(
        &self,
        cx: &Cx,
        arn: TopicArn,
        mut facts: Facts<'_>,
    ) -> Result<Topic, Error> {
        let found = self.database.load::<TopicRecord>(&arn.place.topic(&arn.name)).await?;
        let Some(loaded) = found else {
            // A stranger learns nothing of what exists in an account that is not his.
            allow(cx, action(cx), &arn, None, facts)?;
            return Err(no_topic());
        };
        let document = document(&arn, &loaded.value)?;
        facts.of_resource = Some(&loaded.value.tags);
        allow(cx, action(cx), &arn, document.as_ref(), facts)?;
        Ok(Topic { arn, loaded })
    }

    /// A topic as publishing needs it, if the caller may.
    pub(crate) async fn topic_to_publish(
        &self,
        cx: &Cx,
        arn: &TopicArn,
    ) -> Result<Arc<TopicState>, Error> {
        let Some(state) = self.topic_state(arn).await? else {
            allow(cx, action(cx), arn, None, Facts::default())?;
            return Err(no_topic());
        };
        let facts = Facts::of(&state.record.tags);
        allow(cx, action(cx), arn, state.policy.as_ref(), facts)?;
        Ok(state)
    }

    pub(crate) async fn topic_state(
        &self,
        arn: &TopicArn,
    ) -> Result<Option<Arc<TopicState>>, Fault> {
        let path = arn.place.topic(&arn.name);
        let build = |record: TopicRecord| {
            let policy = document(arn, &record)?;
            Ok(TopicState { record, policy })
        };
        self.database.cached(&path, build).await
    }
}

fn document(arn: &TopicArn, record: &TopicRecord) -> Result<Option<Arc<Document>>, Fault> {
    let policy = policy(arn, &record.attributes);
    // A policy without statements is none in the policy language.
    if permission::is_without_statements(&policy) {
        return Ok(None);
    }
    record.policy_principals.compile(&policy).map(Some)
}
