//! Records, and where they lie.
//!
//! ```text
//! /sqs/<account>/<region>/queue/<name>                       QueueRecord
//! /sqs/<account>/<region>/message/<queue>/<order>            MessageRecord, in the order in which
//!                                                            they are handed out
//! /sqs/<account>/<region>/receipt/<queue>/<message>          ReceiptRecord: where a message that
//!                                                            was received lies now
//! /sqs/<account>/<region>/deduplication/<queue>/<id>         DeduplicationRecord
//! /sqs/<account>/<region>/piece/<sent>/<message>/<number>    PieceRecord: of a long message
//! /sqs/<account>/<region>/move/<queue>/<started>/<task>      MoveTaskRecord, the newest first
//! /sqs/<account>/<region>/moving/<queue>                     MovingRecord: the task that runs
//! ```
//! `<queue>` is an id that a queue gets when it is made, so that a new queue of an old name is
//! empty. `<order>` of a standard queue begins with the time when the message is next visible; of a
//! FIFO queue it is the sequence number alone.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Path, PrincipalIds, Record};
use haechi_sse::Sealed;
use serde::{Deserialize, Serialize};

/// A queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QueueRecord {
    pub(crate) name: String,
    /// Names the queue's rows.
    pub(crate) id: String,
    /// Those that were set.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Of the users and roles that its policy names.
    #[serde(default)]
    pub(crate) policy_principals: PrincipalIds,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// When it was last purged.
    #[serde(default)]
    pub(crate) purged_ms: Option<i64>,
    /// How it told deduplication ids apart before that was changed, and until when it still does.
    #[serde(default)]
    pub(crate) scope_before: Option<ScopeBefore>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for QueueRecord {}

/// A deduplication scope that was changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ScopeBefore {
    /// Whether it was the message group.
    pub(crate) by_group: bool,
    pub(crate) until_ms: i64,
}

/// A message attribute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attribute {
    pub(crate) data_type: String,
    pub(crate) text: Option<String>,
    pub(crate) binary: Option<Vec<u8>>,
}

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MessageRecord {
    pub(crate) id: String,
    pub(crate) sequence: u64,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) trace_header: Option<String>,
    pub(crate) sender_id: String,
    pub(crate) sent_ms: i64,
    /// Of a dead letter of a FIFO queue, when it was moved: its age counts from then.
    #[serde(default)]
    pub(crate) enqueued_ms: Option<i64>,
    /// From when on it may be received.
    pub(crate) due_ms: i64,
    pub(crate) receive_count: u32,
    pub(crate) first_received_ms: Option<i64>,
    /// Of a message in flight, when it was received.
    #[serde(default)]
    pub(crate) received_ms: Option<i64>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// Of a dead letter, the queue that it was sent to.
    pub(crate) source_arn: Option<String>,
    /// In how many pieces body and attributes lie elsewhere; 0 if they are here.
    #[serde(default)]
    pub(crate) pieces: u32,
    /// Of a queue under a KMS key: how the body was sealed, which is then base64.
    #[serde(default)]
    pub(crate) sealed: Option<Sealed>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for MessageRecord {}

impl MessageRecord {
    /// When it is too old for a queue that keeps messages for so long.
    pub(crate) fn expires_ms(&self, retention_ms: i64) -> i64 {
        self.enqueued_ms.unwrap_or(self.sent_ms).saturating_add(retention_ms)
    }
}

/// Where a message that was received lies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReceiptRecord {
    pub(crate) sequence: u64,
    pub(crate) due_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ReceiptRecord {}

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

/// The last sequence number of a FIFO queue that several nodes serve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SequenceRecord {
    pub(crate) last: u64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for SequenceRecord {}

/// Where the rows of an account in a Region lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Place {
    fn rows(&self, kind: &str) -> Path {
        Path::new("sqs").part(&self.account).part(&self.region).part(kind)
    }

    /// The prefix of all queues.
    pub(crate) fn queues(&self) -> Path {
        self.rows("queue")
    }

    pub(crate) fn queue(&self, name: &str) -> Path {
        self.queues().hidden(name)
    }

    /// The prefix of a queue's messages.
    pub(crate) fn messages(&self, queue: &str) -> Path {
        self.rows("message").part(queue)
    }

    pub(crate) fn message(&self, queue: &QueueRecord, due_ms: i64, sequence: u64) -> Path {
        let order = self.messages(&queue.id);
        if queue.name.ends_with(".fifo") {
            return order.part(&format!("{sequence:016x}"));
        }
        let due = u64::try_from(due_ms).unwrap_or(0);
        order.part(&format!("{due:016x}")).part(&format!("{sequence:016x}"))
    }

    /// The last sequence number of a queue.
    pub(crate) fn sequence(&self, queue: &str) -> Path {
        self.rows("sequence").part(queue)
    }

    /// The prefix of the pieces of all long messages, those first that were sent first.
    pub(crate) fn pieces(&self) -> Path {
        self.rows("piece")
    }

    pub(crate) fn piece(&self, message: &MessageRecord, number: u32) -> Path {
        let sent = u64::try_from(message.sent_ms).unwrap_or(0);
        self.pieces().part(&format!("{sent:016x}")).part(&message.id).part(&format!("{number:04}"))
    }

    /// The prefix of the tasks that move what is in a queue, the newest first.
    pub(crate) fn move_tasks(&self, queue: &str) -> Path {
        self.rows("move").part(queue)
    }

    pub(crate) fn move_task(&self, queue: &str, started_ms: i64, task: &str) -> Path {
        let order = u64::MAX - u64::try_from(started_ms).unwrap_or(0);
        self.move_tasks(queue).part(&format!("{order:016x}")).part(task)
    }

    pub(crate) fn moving(&self, queue: &str) -> Path {
        self.rows("moving").part(queue)
    }

    /// The prefix of a queue's receipts.
    pub(crate) fn receipts(&self, queue: &str) -> Path {
        self.rows("receipt").part(queue)
    }

    pub(crate) fn receipt(&self, queue: &str, message: &str) -> Path {
        self.receipts(queue).part(message)
    }

    /// The prefix of a queue's deduplication ids.
    pub(crate) fn deduplications(&self, queue: &str) -> Path {
        self.rows("deduplication").part(queue)
    }

    /// `scope` is the message group where ids are told apart by it, else empty.
    pub(crate) fn deduplication(&self, queue: &str, scope: &str, id: &str) -> Path {
        self.deduplications(queue).hidden(&format!("{scope}\n{id}"))
    }
}
