//! The endpoints of SNS's subscriptions, and who certifies the key that signs messages.
//!
//! ```text
//! options.rs  what the operator's configuration says of mail
//! mail.rs     mail, by a relay
//! ```

mod mail;
mod options;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Database, Env, Source};
use haechi_lambda::Lambda;
use haechi_sns::{
    Attribute, CertificateIssuer, Endpoints, HttpMessage, Mail, QueueMessage, Refusal,
};
use haechi_sqs::{Delivery, Sqs};
use haechi_sqs_model::shapes::MessageAttributeValue;
use haechi_wire::{Blob, Fault, Problem};

use self::mail::Mailer;
use crate::outbound::Outbound;
use crate::tls;

pub use options::{SmtpOptions, mount};

/// What takes messages.
pub struct SubscriptionEndpoints {
    env: Env,
    sqs: Arc<Sqs>,
    outbound: Arc<Outbound>,
    mail: OnceLock<Mailer>,
    lambda: OnceLock<Arc<Lambda>>,
}

impl SubscriptionEndpoints {
    /// Queues only, until the other ways are opened.
    pub fn new(env: Env, sqs: Arc<Sqs>, outbound: Arc<Outbound>) -> SubscriptionEndpoints {
        let (mail, lambda) = (OnceLock::new(), OnceLock::new());
        SubscriptionEndpoints { env, sqs, outbound, mail, lambda }
    }

    /// Lets messages go to functions.
    pub fn call_functions(&self, lambda: Arc<Lambda>) {
        self.lambda.get_or_init(|| lambda);
    }

    fn open_mail(&self, mailer: Mailer) {
        self.mail.get_or_init(|| mailer);
    }
}

/// What a service's refusal means for a delivery.
fn refusal(problem: Problem) -> Refusal {
    match problem {
        Problem::Fault(fault @ (Fault::Unavailable { .. } | Fault::Internal(_))) => {
            Refusal::Temporary(fault)
        }
        refused => Refusal::Permanent(refused.message()),
    }
}

fn attribute((name, given): (String, Attribute)) -> (String, MessageAttributeValue) {
    let binary = given.is_binary().then(|| STANDARD.decode(&given.value).unwrap_or_default());
    let string_value = if binary.is_some() { None } else { Some(given.value) };
    let value = MessageAttributeValue {
        data_type: given.data_type,
        string_value,
        binary_value: binary.map(Blob),
        ..Default::default()
    };
    (name, value)
}

#[async_trait]
impl Endpoints for SubscriptionEndpoints {
    async fn queue(&self, topic: Source, message: QueueMessage) -> Result<(), Refusal> {
        let delivery = Delivery {
            queue_arn: message.queue_arn,
            body: message.body,
            group_id: message.group_id,
            deduplication_id: message.deduplication_id,
            trace: message.trace,
            attributes: message.attributes.into_iter().map(attribute).collect(),
        };
        let outcome = self.sqs.deliver(&self.env, "sns", topic, delivery).await;
        outcome.map_err(|error| refusal(error.into()))
    }

    async fn function(&self, topic: Source, arn: &str, event: String) -> Result<(), Refusal> {
        let Some(lambda) = self.lambda.get() else {
            return Err(Refusal::Permanent(format!("{arn} cannot be invoked")));
        };
        let delivery = haechi_lambda::Delivery { function_arn: arn.to_owned(), payload: event };
        let outcome = lambda.deliver("sns", topic, delivery).await;
        outcome.map_err(|error| refusal(error.into()))
    }

    async fn http(&self, message: HttpMessage) -> Result<(), Refusal> {
        self.outbound.post(message).await
    }

    async fn mail(&self, mail: Mail) -> Result<(), Refusal> {
        match self.mail.get() {
            Some(mailer) => mailer.send(&self.env, mail).await,
            None => Err(Refusal::Permanent("no relay is configured for mail".to_owned())),
        }
    }

    fn serves(&self, protocol: &str) -> bool {
        match protocol {
            "sqs" => true,
            "lambda" => self.lambda.get().is_some(),
            "http" | "https" => self.outbound.is_open(),
            "email" | "email-json" => self.mail.get().is_some(),
            _ => false,
        }
    }
}

/// The installation's own authority.
pub struct LocalAuthority {
    /// Where its key lies.
    pub database: Arc<Database>,
    /// Time.
    pub env: Env,
}

#[async_trait]
impl CertificateIssuer for LocalAuthority {
    async fn issue(&self, public_key: &[u8], common_name: &str) -> Result<String, Fault> {
        let issued = tls::certify(&self.database, public_key, common_name, self.env.now()).await;
        issued.map_err(Fault::Internal)
    }
}
