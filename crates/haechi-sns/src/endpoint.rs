//! What takes messages: the other services and the network, wired by the binary.

use std::collections::BTreeMap;

use async_trait::async_trait;
use haechi_core::Source;
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

/// A message attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `String`, `Number`, `Binary`, `String.Array`, or one of these with a further name.
    pub data_type: String,
    /// The value; of a binary one, Base64.
    pub value: String,
}

impl Attribute {
    /// Whether the value is binary.
    pub fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }
}

/// What a queue gets.
#[derive(Debug, Clone)]
pub struct QueueMessage {
    /// The queue's ARN.
    pub queue_arn: String,
    /// The message.
    pub body: String,
    /// Its attributes, where messages are delivered raw.
    pub attributes: BTreeMap<String, Attribute>,
    /// The message group.
    pub group_id: Option<String>,
    /// Of a FIFO queue: what tells a message that is delivered twice from two.
    pub deduplication_id: String,
    /// Where it stands in a trace of X-Ray.
    pub trace: Option<String>,
}

/// What an HTTP endpoint gets: a POST.
#[derive(Debug, Clone)]
pub struct HttpMessage {
    /// The endpoint.
    pub url: String,
    /// `x-amz-sns-…`, `Content-Type` and `User-Agent`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What a mailbox gets.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The name beside the sender's address: the topic's display name.
    pub from_name: Option<String>,
    /// The subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// A link that ends the subscription.
    pub unsubscribe_url: Option<String>,
}

/// Why an endpoint did not take a message.
#[derive(Debug)]
pub enum Refusal {
    /// It will not take it later either: it does not exist, or its policy does not allow it.
    Permanent(String),
    /// It may take it later.
    Temporary(Fault),
}

/// The endpoints of subscriptions.
#[async_trait]
pub trait Endpoints: Send + Sync + 'static {
    /// Puts a message into a queue, if the queue's policy lets SNS on behalf of the topic.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn queue(&self, topic: Source, message: QueueMessage) -> Result<(), Refusal>;

    /// Invokes a function with an event, if the function's policy lets SNS on behalf of the topic.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn function(&self, topic: Source, arn: &str, event: String) -> Result<(), Refusal>;

    /// Posts a message to an HTTP endpoint.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn http(&self, message: HttpMessage) -> Result<(), Refusal>;

    /// Sends a mail.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn mail(&self, mail: Mail) -> Result<(), Refusal>;

    /// Whether endpoints of this protocol can be served here; who subscribes one that cannot is
    /// told so (501).
    fn serves(&self, protocol: &str) -> bool;
}
