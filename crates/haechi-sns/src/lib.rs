//! Amazon SNS: what is published to a topic reaches whoever has subscribed to it.
//!
//! What it guarantees:
//! * A message exists if and only if its publishing was acknowledged: the deliveries that follow
//!   from it are jobs, written in one transaction. Each subscription gets it at least once, also
//!   after `kill -9`; of a FIFO topic in the order of the sequence numbers, and a deduplication id
//!   is taken once in five minutes.
//! * The policy of the endpoint decides, with `aws:SourceArn` the topic's: nothing is delivered
//!   because a topic says so alone.
//! * An endpoint that cannot be reached is tried again as its delivery policy says; what is given
//!   up goes to the subscription's dead-letter queue.
//! * Of a topic that has a KMS key, what messages say is stored under data keys that KMS made in
//!   the publisher's name.
//! * Messages are signed with the installation's own key, whose certificate anybody may fetch.
//!
//! What is missing answers 501: text messages, mobile push, Firehose, data protection policies,
//! archives and replay, delivery logs, active tracing.
//!
//! Growth: publishing looks at every subscription of the topic; they are compiled once, and kept.
//!
//! Source of behaviour: SNS API Reference and Developer Guide, 2026; recordings.
//!
//! ```text
//! op/*.rs                     one operation each
//! topic.rs                    a topic by its ARN, and whether the caller may
//! topic_attributes.rs         what can be set on a topic, how it is shown
//! subscription.rs             a subscription by its ARN, and whether the caller may
//! subscription_attributes.rs  what can be set on a subscription
//! subscribers.rs              the subscriptions of a topic, compiled and kept
//! confirmation.rs             endpoints that have to agree first
//! filter.rs                   filter policies (pure)
//! delivery_policy.rs          when what failed is tried again (pure)
//! permission.rs               statements of AddPermission (pure)
//! message.rs                  a message that is published: checks
//! encryption.rs               what messages say, under data keys of KMS
//! publish.rs                  what becomes of it, in one transaction
//! post.rs                     messages of other services
//! delivery.rs                 jobs: endpoints get messages
//! envelope.rs                 what an endpoint gets (pure)
//! sweep.rs                    job: what nobody needs any more goes
//! signing.rs                  the key that signs, and its certificate
//! store.rs                    records, and where they lie
//! ```

mod arn;
mod attributes;
mod confirmation;
mod delivery;
mod delivery_policy;
mod encryption;
mod endpoint;
mod envelope;
mod error;
mod filter;
mod message;
mod op;
mod permission;
mod post;
mod publish;
mod signing;
mod store;
mod subscribers;
mod subscription;
mod subscription_attributes;
mod sweep;
mod tags;
mod topic;
mod topic_attributes;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use haechi_core::{Database, Env, Jobs, Router};
use haechi_sse::{Envelope, Keys};
use haechi_wire::Timestamp;
use tokio::sync::OnceCell;

pub use endpoint::{Attribute, Endpoints, HttpMessage, Mail, QueueMessage, Refusal};
pub use post::Posting;
pub use signing::CertificateIssuer;

/// The service.
pub struct Sns {
    database: Arc<Database>,
    env: Env,
    envelope: Envelope,
    endpoints: Arc<dyn Endpoints>,
    issuer: Arc<dyn CertificateIssuer>,
    signer: OnceCell<signing::Signer>,
    sequence: AtomicU64,
    /// Where this server is reached, for messages that a service publishes.
    url: OnceLock<String>,
}

impl Sns {
    /// The service over its records and the keys of KMS. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: &Jobs,
        keys: Arc<dyn Keys>,
        endpoints: Arc<dyn Endpoints>,
        issuer: Arc<dyn CertificateIssuer>,
    ) -> Arc<Sns> {
        let sns = Arc::new(Sns {
            database,
            env,
            envelope: Envelope::new(keys, "sns", "aws:sns:topicArn"),
            endpoints,
            issuer,
            signer: OnceCell::new(),
            sequence: AtomicU64::new(0),
            url: OnceLock::new(),
        });
        delivery::register(&sns, jobs);
        sns
    }

    /// Mounts its operations, and the certificate that verifies its messages.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_sns_model::ops::mount(router, self);
        router.open(&haechi_sns_model::ops::SERVICE, &["ConfirmSubscription", "Unsubscribe"]);
        router.document(signing::DOCUMENT, Arc::clone(self) as _);
    }

    /// Names the URL at which this server is reached: of messages whose publisher came by none.
    pub fn reached_at(&self, url: &str) {
        self.url.get_or_init(|| url.trim_end_matches('/').to_owned());
    }

    /// The next sequence number: it grows with time, and from message to message within a
    /// millisecond.
    fn next_sequence(&self, now: Timestamp) -> u64 {
        let floor = u64::try_from(now.millis()).unwrap_or(0) << 20;
        let next = |last: u64| Some(floor.max(last + 1));
        // The closure never refuses, so both arms carry the number before.
        let last = match self.sequence.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(last) | Err(last) => last,
        };
        floor.max(last + 1)
    }
}
