//! Where EventBridge's events go: a function for each service that takes them.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Env, Region, RoleSession, Source};
use haechi_events::{Message, Refusal, Targets};
use haechi_lambda::Lambda;
use haechi_scheduler::{Call, Calls as _};
use haechi_sns::{Posting, Sns};
use haechi_sqs::{Delivery, Sqs};
use haechi_sqs_model::shapes::MessageAttributeValue;
use haechi_wire::{Fault, Problem};
use serde_json::{Value, json};

use crate::role_calls::RoleCalls;

/// The services that take events.
pub struct EventTargets {
    /// Time and randomness.
    pub env: Env,
    /// Topics.
    pub sns: Arc<Sns>,
    /// Queues.
    pub sqs: Arc<Sqs>,
    /// Functions.
    pub lambda: Arc<Lambda>,
    /// The same in the name of targets' roles.
    pub calls: Arc<RoleCalls>,
}

/// What targets' ARNs name in their third part.
const SERVICES: [&str; 3] = ["lambda", "sns", "sqs"];

#[async_trait]
impl Targets for EventTargets {
    fn has(&self, service: &str) -> bool {
        SERVICES.contains(&service)
    }

    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        match message.target_arn.split(':').nth(2) {
            Some("lambda") => self.function(rule, message).await,
            Some("sns") => self.topic(rule, message).await,
            Some("sqs") => self.queue(rule, message).await,
            _ => Err(Refusal::of(Fault::Validation("there are no such targets".to_owned()))),
        }
    }

    async fn deliver_as(&self, role: &RoleSession, message: &Message) -> Result<(), Refusal> {
        let arn: Vec<&str> = message.target_arn.splitn(6, ':').collect();
        let &[_, _, service, region, account, name] = arn.as_slice() else {
            return Err(Refusal::of(Fault::Validation("the target's ARN is none".to_owned())));
        };
        let (Some(region), Some((operation, input))) =
            (Region::parse(region), input(message, service, (account, name)))
        else {
            return Err(Refusal::of(Fault::Validation("there are no such targets".to_owned())));
        };
        let call = Call { service: service.to_owned(), operation: operation.to_owned(), input };
        self.calls.call(role, &region, &call).await.map_err(refusal_of_call)
    }
}

/// What is called for a message, and with what.
fn input(
    message: &Message,
    service: &str,
    (account, name): (&str, &str),
) -> Option<(&'static str, Value)> {
    let mut called = match service {
        "lambda" => {
            let payload = STANDARD.encode(&message.body);
            let function = &message.target_arn;
            return Some((
                "Invoke",
                json!({"FunctionName": function, "InvocationType": "Event", "Payload": payload}),
            ));
        }
        "sns" => ("Publish", json!({"TopicArn": message.target_arn, "Message": message.body})),
        // The host of a queue's URL counts for nothing.
        "sqs" => {
            let url = format!("https://queue.localhost/{account}/{name}");
            ("SendMessage", json!({"QueueUrl": url, "MessageBody": message.body}))
        }
        _ => return None,
    };
    if let ("sqs", Some(trace), Some(members)) = (service, &message.trace, called.1.as_object_mut())
    {
        let header = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": trace}});
        members.insert("MessageSystemAttributes".to_owned(), header);
    }
    if let (Some(group), Some(members)) = (&message.group_id, called.1.as_object_mut()) {
        members.insert("MessageGroupId".to_owned(), group.clone().into());
        let id = message.deduplication_id.clone();
        members.insert("MessageDeduplicationId".to_owned(), id.into());
    }
    Some(called)
}

/// What the refusal of a call in a role's name means for a delivery.
fn refusal_of_call(refusal: haechi_scheduler::Refusal) -> Refusal {
    match refusal {
        haechi_scheduler::Refusal::Permanent { code, message } => {
            Refusal::of_target(&code, message)
        }
        haechi_scheduler::Refusal::Temporary { message, .. } => {
            Refusal::Later { seconds: 0, is_try: true, message }
        }
    }
}

impl EventTargets {
    async fn topic(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let posting = Posting {
            topic_arn: message.target_arn.clone(),
            message: message.body.clone(),
            group_id: message.group_id.clone(),
            deduplication_id: message.deduplication_id.clone(),
        };
        let outcome = self.sns.post("events", rule, posting).await;
        outcome.map_err(|error| refusal(error.into()))
    }

    async fn function(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let (function_arn, payload) = (message.target_arn.clone(), message.body.clone());
        let delivery = haechi_lambda::Delivery { function_arn, payload };
        let outcome = self.lambda.deliver("events", rule, delivery).await;
        outcome.map_err(|error| refusal(error.into()))
    }

    async fn queue(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let delivery = Delivery {
            queue_arn: message.target_arn.clone(),
            body: message.body.clone(),
            group_id: message.group_id.clone(),
            deduplication_id: message.deduplication_id.clone(),
            attributes: message.attributes.iter().map(text_attribute).collect(),
            trace: message.trace.clone(),
        };
        let outcome = self.sqs.deliver(&self.env, "events", rule, delivery).await;
        outcome.map_err(|error| refusal(error.into()))
    }
}

/// A text as an attribute of a message.
fn text_attribute((name, text): (&String, &String)) -> (String, MessageAttributeValue) {
    let attribute = MessageAttributeValue {
        string_value: Some(text.clone()),
        data_type: "String".to_owned(),
        ..Default::default()
    };
    (name.clone(), attribute)
}

/// What a service's refusal means for a delivery.
fn refusal(problem: Problem) -> Refusal {
    match problem {
        Problem::Fault(fault) => Refusal::of(fault),
        refused => {
            Refusal::of_target(refused.code(haechi_wire::Protocol::Json10), refused.message())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_targets_have_eventbridges_codes_and_what_is_throttled_is_tried_again() {
        for (code, expected) in [
            ("AccessDeniedException", "NO_PERMISSIONS"),
            ("AuthorizationError", "NO_PERMISSIONS"),
            ("AWS.SimpleQueueService.NonExistentQueue", "NO_RESOURCE"),
            ("QueueDoesNotExist", "NO_RESOURCE"),
            ("ResourceNotFoundException", "NO_RESOURCE"),
            ("InvalidParameterValue", "INVALID_PARAMETER"),
            ("UnsupportedOperation", "ERROR_FROM_TARGET"),
        ] {
            let permanent = haechi_scheduler::Refusal::Permanent {
                code: code.to_owned(),
                message: String::new(),
            };
            let told = refusal_of_call(permanent);
            assert!(
                matches!(&told, Refusal::Permanent { code, .. } if code == expected),
                "{told:?}"
            );
        }
        let throttled = Refusal::of_target("KMS.ThrottlingException", String::new());
        assert!(matches!(throttled, Refusal::Failed { code: "THROTTLING", .. }));
    }

    #[test]
    fn a_queue_is_told_where_a_message_stands_in_a_trace() {
        let message = |trace: Option<&str>| Message {
            target_arn: "arn:aws:sqs:us-east-1:111122223333:q".to_owned(),
            body: "{}".to_owned(),
            group_id: None,
            deduplication_id: String::new(),
            attributes: std::collections::BTreeMap::new(),
            trace: trace.map(str::to_owned),
        };
        let sent = |trace| input(&message(trace), "sqs", ("111122223333", "q")).unwrap().1;
        let told = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}});
        assert_eq!(sent(Some("Root=1"))["MessageSystemAttributes"], told);
        assert!(sent(None).get("MessageSystemAttributes").is_none());
    }
}
