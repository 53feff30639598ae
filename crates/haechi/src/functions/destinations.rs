//! What became of events, told in the name of functions' roles: to queues, topics, functions and
//! event buses.
//!
//! Source: Developer Guide, "Capturing records of Lambda asynchronous invocations".

use std::collections::BTreeMap;
use std::sync::{OnceLock, Weak};

use haechi_core::{Cx, Env, Handle, Operation as _, Region, RoleSession};
use haechi_events::Events;
use haechi_events_model::ops::PutEvents;
use haechi_events_model::shapes::{PutEventsRequest, PutEventsRequestEntry};
use haechi_lambda::{Lambda, Message};
use haechi_lambda_model::ops::Invoke;
use haechi_lambda_model::shapes::{InvocationRequest, InvocationType};
use haechi_sns::Sns;
use haechi_sns_model::ops::Publish;
use haechi_sns_model::shapes::{MessageAttributeValue, PublishInput};
use haechi_sqs::Sqs;
use haechi_sqs_model::ops::SendMessage;
use haechi_sqs_model::shapes::{MessageAttributeValue as QueueAttributeValue, SendMessageRequest};
use haechi_wire::{OperationSchema, Problem, SecretBlob};
use serde_json::Value;

/// What is made after Lambda, and told of afterwards. Weak: both hold Lambda.
#[derive(Default)]
pub struct MadeLater {
    pub(super) lambda: OnceLock<Weak<Lambda>>,
    pub(super) events: OnceLock<Weak<Events>>,
}

/// A session of a role, in the Region of what it sends to.
pub(super) struct Sender<'a> {
    pub(super) env: &'a Env,
    pub(super) session: RoleSession,
    pub(super) region: Region,
}

/// A problem in its own words.
fn words(problem: impl Into<Problem>) -> String {
    problem.into().message()
}

impl Sender<'_> {
    fn cx(&self, operation: &'static OperationSchema) -> Result<Cx, String> {
        self.session.cx(self.env, self.region.clone(), operation).map_err(words)
    }

    pub(super) async fn to_queue(&self, sqs: &Sqs, message: Message) -> Result<(), String> {
        let mut parts = message.target_arn.splitn(6, ':').skip(4);
        let (account, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let attribute = |(name, kind, value): (&str, &str, String)| {
            let value = QueueAttributeValue {
                string_value: Some(value),
                data_type: kind.to_owned(),
                ..QueueAttributeValue::default()
            };
            (name.to_owned(), value)
        };
        let attributes: BTreeMap<_, _> = message.attributes.into_iter().map(attribute).collect();
        let input = SendMessageRequest {
            queue_url: format!("http://sqs/{account}/{name}"),
            message_body: message.body,
            message_attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
            ..SendMessageRequest::default()
        };
        let sent = Handle::<SendMessage>::handle(sqs, &self.cx(SendMessage::SCHEMA)?, input).await;
        sent.map(|_| ()).map_err(words)
    }

    pub(super) async fn to_topic(&self, sns: &Sns, message: Message) -> Result<(), String> {
        let attribute = |(name, kind, value): (&str, &str, String)| {
            let value = MessageAttributeValue {
                string_value: Some(value),
                data_type: kind.to_owned(),
                ..MessageAttributeValue::default()
            };
            (name.to_owned(), value)
        };
        let attributes: BTreeMap<_, _> = message.attributes.into_iter().map(attribute).collect();
        let input = PublishInput {
            topic_arn: Some(message.target_arn),
            message: message.body,
            message_attributes: Some(attributes).filter(|attributes| !attributes.is_empty()),
            ..PublishInput::default()
        };
        let sent = Handle::<Publish>::handle(sns, &self.cx(Publish::SCHEMA)?, input).await;
        sent.map(|_| ()).map_err(words)
    }

    pub(super) async fn to_function(
        &self,
        lambda: &Lambda,
        message: Message,
    ) -> Result<(), String> {
        let input = InvocationRequest {
            function_name: message.target_arn,
            invocation_type: Some(InvocationType::Event),
            payload: Some(SecretBlob(message.body.into_bytes())),
            ..InvocationRequest::default()
        };
        let sent = Handle::<Invoke>::handle(lambda, &self.cx(Invoke::SCHEMA)?, input).await;
        sent.map(|_| ()).map_err(words)
    }

    pub(super) async fn to_bus(&self, events: &Events, message: Message) -> Result<(), String> {
        let record: Value = serde_json::from_str(&message.body).unwrap_or_default();
        let said = |name: &str| {
            let context = record.get("requestContext")?;
            context.get(name)?.as_str().map(str::to_owned)
        };
        let succeeded = said("condition").as_deref() == Some("Success");
        let outcome = if succeeded { "Success" } else { "Failure" };
        let resources = [Some(message.target_arn.clone()), said("functionArn")];
        let entry = PutEventsRequestEntry {
            source: Some("lambda".to_owned()),
            resources: Some(resources.into_iter().flatten().collect()),
            detail_type: Some(format!("Lambda Function Invocation Result - {outcome}")),
            detail: Some(message.body),
            event_bus_name: Some(message.target_arn),
            ..PutEventsRequestEntry::default()
        };
        let input = PutEventsRequest { entries: vec![entry], endpoint_id: None };
        let sent = Handle::<PutEvents>::handle(events, &self.cx(PutEvents::SCHEMA)?, input).await;
        let refused =
            sent.map_err(words)?.entries.into_iter().flatten().find_map(|one| one.error_message);
        refused.map_or(Ok(()), Err)
    }
}
