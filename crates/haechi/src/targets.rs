//! Where EventBridge's events go: a function for each service that takes them.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Env, Source};
use haechi_events::{Message, Refusal, Targets};
use haechi_lambda::Lambda;
use haechi_sns::{Posting, Sns};
use haechi_sqs::{Delivery, Sqs};
use haechi_sqs_model::shapes::MessageAttributeValue;
use haechi_wire::{Fault, Problem};

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
            trace: None,
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
            let code = refused.code(haechi_wire::Protocol::Json10).to_owned();
            Refusal::Permanent { code, message: refused.message() }
        }
    }
}
