//! Records, and where they lie.
//!
//! ```text
//! /sns/<account>/<region>/topic/<name>                       TopicRecord
//! /sns/<account>/<region>/subscription/<topic>/<id>          SubscriptionRecord
//! /sns/<account>/<region>/endpoint/<topic>/<endpoint>        EndpointRecord: none is there twice
//! /sns/<account>/<region>/elsewhere/<id>                     ElsewhereRecord: a subscription of this
//!                                                            account's to another account's topic
//! /sns-fifo/<account>/<region>/message/<topic>/<sequence>    WaitingRecord: of a FIFO topic
//! /sns-fifo/<account>/<region>/deduplication/<topic>/<id>    DeduplicationRecord
//! /sns-fifo/<account>/<region>/sequence/<topic>              SequenceRecord
//! /sns-signing/key                                           SigningRecord
//! ```
//! `<topic>` is an id that a topic gets when it is made, so that a new topic of an old name has no
//! subscriptions. What changes with each message lies apart: what is kept of `/sns/<account>` stays
//! valid meanwhile.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Path, PrincipalIds, Record};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::message::Published;

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopicRecord {
    pub(crate) name: String,
    /// Names the topic's rows.
    pub(crate) id: String,
    /// Those that were set.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Of the users and roles that its policy names.
    #[serde(default)]
    pub(crate) policy_principals: PrincipalIds,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for TopicRecord {}

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SubscriptionRecord {
    pub(crate) id: String,
    pub(crate) topic_arn: String,
    /// The account that subscribed.
    pub(crate) owner: String,
    /// The ARN of who did.
    pub(crate) principal: String,
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
    /// Those that were set.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) state: State,
    /// Whether whoever confirmed it was known.
    pub(crate) confirmed_by_owner: bool,
    /// Whether only its owner or the topic's may end it.
    pub(crate) guarded: bool,
    /// What confirms it, until then.
    pub(crate) token: Option<Token>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for SubscriptionRecord {}

/// Where a subscription is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// The endpoint has not agreed yet.
    Pending,
    /// It gets messages.
    Confirmed,
    /// It has ended; its endpoint may take that back for a while.
    Ended,
}

/// What the endpoint of a subscription shows to confirm it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) until_ms: i64,
}

impl SubscriptionRecord {
    pub(crate) fn arn(&self) -> String {
        format!("{}:{}", self.topic_arn, self.id)
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true")
    }
}

/// Which subscription an endpoint has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointRecord {
    pub(crate) subscription: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for EndpointRecord {}

/// A subscription to a topic of another account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ElsewhereRecord {
    pub(crate) topic_arn: String,
    pub(crate) topic_id: String,
    pub(crate) subscription: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ElsewhereRecord {}

/// A message of a FIFO topic that waits for its turn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WaitingRecord {
    pub(crate) message: Published,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for WaitingRecord {}

/// A deduplication id that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeduplicationRecord {
    pub(crate) until_ms: i64,
    pub(crate) message_id: String,
    pub(crate) sequence: u64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for DeduplicationRecord {}

/// The last sequence number of a FIFO topic that several nodes serve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SequenceRecord {
    pub(crate) last: u64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for SequenceRecord {}

/// The key that signs messages.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningRecord {
    /// In the name of the certificate's file.
    pub(crate) id: String,
    /// PKCS#8.
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) certificate_pem: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for SigningRecord {}

/// Where the signing key lies.
pub(crate) fn signing() -> Path {
    Path::new("sns-signing").part("key")
}

/// Where the rows of an account in a Region lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Place {
    /// The prefix of all rows of the account, in all Regions.
    pub(crate) fn scope(&self) -> Path {
        Path::new("sns").part(&self.account)
    }

    fn rows(&self, kind: &str) -> Path {
        self.scope().part(&self.region).part(kind)
    }

    fn fifo_rows(&self, kind: &str) -> Path {
        Path::new("sns-fifo").part(&self.account).part(&self.region).part(kind)
    }

    /// The prefix of all topics.
    pub(crate) fn topics(&self) -> Path {
        self.rows("topic")
    }

    pub(crate) fn topic(&self, name: &str) -> Path {
        self.topics().hidden(name)
    }

    /// The prefix of the subscriptions of all topics.
    pub(crate) fn all_subscriptions(&self) -> Path {
        self.rows("subscription")
    }

    /// The prefix of a topic's subscriptions.
    pub(crate) fn subscriptions(&self, topic: &str) -> Path {
        self.all_subscriptions().part(topic)
    }

    pub(crate) fn subscription(&self, topic: &str, id: &str) -> Path {
        self.subscriptions(topic).part(id)
    }

    /// The prefix of a topic's endpoints.
    pub(crate) fn endpoints(&self, topic: &str) -> Path {
        self.rows("endpoint").part(topic)
    }

    pub(crate) fn endpoint(&self, topic: &str, protocol: &str, endpoint: &str) -> Path {
        self.endpoints(topic).hidden(&format!("{protocol}\n{endpoint}"))
    }

    /// The prefix of the account's subscriptions to topics of others.
    pub(crate) fn all_elsewhere(&self) -> Path {
        self.rows("elsewhere")
    }

    pub(crate) fn elsewhere(&self, subscription: &str) -> Path {
        self.all_elsewhere().part(subscription)
    }

    /// The prefix of a FIFO topic's messages, in their order.
    pub(crate) fn waiting(&self, topic: &str) -> Path {
        self.fifo_rows("message").part(topic)
    }

    pub(crate) fn waiting_message(&self, topic: &str, sequence: u64) -> Path {
        self.waiting(topic).part(&format!("{sequence:016x}"))
    }

    /// The last sequence number of a FIFO topic.
    pub(crate) fn sequence(&self, topic: &str) -> Path {
        self.fifo_rows("sequence").part(topic)
    }

    /// The prefix of a FIFO topic's deduplication ids.
    pub(crate) fn deduplications(&self, topic: &str) -> Path {
        self.fifo_rows("deduplication").part(topic)
    }

    /// `scope` is the message group where ids are told apart by it, else empty.
    pub(crate) fn deduplication(&self, topic: &str, scope: &str, id: &str) -> Path {
        self.deduplications(topic).hidden(&format!("{scope}\n{id}"))
    }
}
