//! Queues that Lambda reads in the name of functions' roles.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Cx, Env, Handle, Operation as _, Region, RoleSession, Source};
use haechi_lambda::{EventQueue, QueueAttribute, QueueMessage, QueueRefusal};
use haechi_sqs::Sqs;
use haechi_sqs_model::ops::{
    DeleteMessage, DeleteMessageBatch, GetQueueAttributes, ReceiveMessage,
};
use haechi_sqs_model::shapes::{
    DeleteMessageBatchRequest, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, ReceiveMessageRequest,
};
use haechi_wire::{Fault, OperationSchema, Problem, Protocol};

use super::RolesOfFunctions;

/// Receipts in a request.
const BATCH: usize = 10;

/// How often a call is tried that another write came between: services answer to nobody for
/// conflicts, so that what the router does is done here.
const TRIES: usize = 5;

/// What a role must be allowed, in the order in which AWS looks.
const NEEDED: [&OperationSchema; 3] =
    [ReceiveMessage::SCHEMA, DeleteMessage::SCHEMA, GetQueueAttributes::SCHEMA];

struct QueueOfRole {
    env: Env,
    sqs: Arc<Sqs>,
    session: RoleSession,
    region: Region,
    url: String,
}

/// A queue, as a role of a function reads it.
pub(super) async fn open(
    wired: &RolesOfFunctions,
    function: &Source,
    (region, role_arn): (&str, &str),
    queue_arn: &str,
) -> Result<Arc<dyn EventQueue>, QueueRefusal> {
    let refused = |fault: Fault| refusal(ReceiveMessage::SCHEMA, fault.into());
    let region = super::region(region).map_err(refused)?;
    let session = wired.roles.assume("lambda", function, &region, role_arn).await;
    let mut parts = queue_arn.splitn(6, ':').skip(4);
    let (account, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(Arc::new(QueueOfRole {
        env: wired.env.clone(),
        sqs: Arc::clone(&wired.sqs),
        session: session.map_err(refused)?,
        region,
        url: format!("http://sqs/{account}/{name}"),
    }))
}

fn refusal(operation: &OperationSchema, problem: Problem) -> QueueRefusal {
    // The code of the time of query, as Lambda tells it.
    let older = problem.query_error();
    let older = older.as_deref().and_then(|told| told.split(';').next());
    QueueRefusal {
        operation: operation.name,
        code: older.unwrap_or(problem.code(Protocol::Query)).to_owned(),
        message: problem.message(),
    }
}

impl QueueOfRole {
    fn cx(&self, operation: &'static OperationSchema) -> Result<Cx, QueueRefusal> {
        let cx = self.session.cx(&self.env, self.region.clone(), operation);
        cx.map_err(|fault| refusal(operation, fault.into()))
    }

    async fn delete_some(&self, receipts: &[String]) -> Result<(), Problem> {
        let entry = |(number, receipt): (usize, &String)| DeleteMessageBatchRequestEntry {
            id: number.to_string(),
            receipt_handle: receipt.clone(),
        };
        let entries: Vec<_> = receipts.iter().enumerate().map(entry).collect();
        let mut tries = 0;
        loop {
            let schema = DeleteMessageBatch::SCHEMA;
            let cx = self.session.cx(&self.env, self.region.clone(), schema)?;
            let input =
                DeleteMessageBatchRequest { queue_url: self.url.clone(), entries: entries.clone() };
            let done = Handle::<DeleteMessageBatch>::handle(&*self.sqs, &cx, input).await;
            tries += 1;
            match done.map_err(Problem::from) {
                Err(Problem::Fault(Fault::Conflict)) if tries < TRIES => {}
                Err(problem) => return Err(problem),
                Ok(_) => return Ok(()),
            }
        }
    }
}

#[async_trait]
impl EventQueue for QueueOfRole {
    async fn check(&self) -> Result<i64, QueueRefusal> {
        let mut seconds = 0;
        for operation in NEEDED {
            let cx = self.cx(operation)?;
            let found = self.sqs.visibility_seconds(&cx, &self.url).await;
            seconds = found.map_err(|error| refusal(operation, error.into()))?;
        }
        Ok(seconds)
    }

    async fn receive(&self, max: i32, seconds: i32) -> Result<Vec<QueueMessage>, QueueRefusal> {
        if self.sqs.is_ending() {
            return Err(QueueRefusal {
                operation: ReceiveMessage::SCHEMA.name,
                code: "ServiceUnavailable".to_owned(),
                message: "the server is about to stop".to_owned(),
            });
        }
        let input = ReceiveMessageRequest {
            queue_url: self.url.clone(),
            max_number_of_messages: Some(max),
            wait_time_seconds: Some(seconds),
            message_system_attribute_names: Some(vec![MessageSystemAttributeName::All]),
            message_attribute_names: Some(vec!["All".to_owned()]),
            ..ReceiveMessageRequest::default()
        };
        let mut tries = 0;
        loop {
            let cx = self.cx(ReceiveMessage::SCHEMA)?;
            let received = Handle::<ReceiveMessage>::handle(&*self.sqs, &cx, input.clone()).await;
            tries += 1;
            match received.map_err(Problem::from) {
                Err(Problem::Fault(Fault::Conflict)) if tries < TRIES => {}
                Err(problem) => return Err(refusal(ReceiveMessage::SCHEMA, problem)),
                Ok(received) => {
                    let messages = received.messages.unwrap_or_default();
                    return Ok(messages.into_iter().map(message).collect());
                }
            }
        }
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), QueueRefusal> {
        for some in receipts.chunks(BATCH) {
            let done = self.delete_some(some).await;
            done.map_err(|problem| refusal(DeleteMessage::SCHEMA, problem))?;
        }
        Ok(())
    }
}

fn message(message: Message) -> QueueMessage {
    let attribute = |(name, value): (String, MessageAttributeValue)| {
        let attribute = QueueAttribute {
            data_type: value.data_type,
            text: value.string_value,
            binary: value.binary_value.map(|bytes| STANDARD.encode(bytes.0)),
        };
        (name, attribute)
    };
    let attributes: BTreeMap<_, _> =
        message.message_attributes.unwrap_or_default().into_iter().map(attribute).collect();
    QueueMessage {
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        body_md5: message.md5_of_body.unwrap_or_default(),
        system: message.attributes.unwrap_or_default(),
        attributes,
        attributes_md5: message.md5_of_message_attributes,
    }
}
