//! Amazon SQS: queues that hold messages until somebody has dealt with them.
//!
//! What it guarantees:
//! * A message whose send was acknowledged is delivered at least once, also after `kill -9`: it is a
//!   row, and goes only when it is deleted, expires or is purged.
//! * Of a FIFO queue, messages of one group come in the order of their sequence numbers, and none
//!   of them while an earlier one is in flight; a deduplication id is taken once in five minutes.
//! * A message that was received more often than its queue's redrive policy says is moved to the
//!   dead-letter queue, in one transaction.
//! * Of a queue that has a KMS key, bodies are stored under data keys that KMS made in the sender's
//!   name; whom KMS does not let decrypt receives nothing, and hides nothing from others.
//!
//! Growth: receiving reads the first rows that are due, however many wait. The counts of
//! `GetQueueAttributes` read every row of the queue.
//!
//! Source of behaviour: SQS API Reference and Developer Guide, 2026; recordings.
//!
//! ```text
//! op/*.rs        one operation each
//! queue.rs       a queue by its URL, and whether the caller may
//! attributes.rs  what can be set on a queue, defaults, checks
//! message.rs     a message that is sent: checks, digests, deduplication
//! content.rs     what a message says, where it is long
//! encryption.rs  bodies under data keys of KMS
//! receive.rs     which messages come next; dead letters
//! receipt.rs     receipt handles: what deletes a message, or hides it for longer
//! deliver.rs     messages of other services
//! move_task.rs   dead letters on their way back
//! policy.rs      policies as SQS reads them (pure)
//! permission.rs  statements of AddPermission (pure)
//! batch.rs       up to ten in one request
//! sweep.rs       job: what has expired goes
//! store.rs       records, and where they lie
//! ```

mod attributes;
mod batch;
mod content;
mod deliver;
mod digest;
mod encryption;
mod error;
mod message;
mod move_task;
mod op;
mod permission;
mod policy;
mod queue;
mod receipt;
mod receive;
mod store;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use haechi_core::{Database, Env, Jobs, Router};
use haechi_sse::{Envelope, Keys};
use haechi_wire::Timestamp;
use tokio::sync::Notify;

pub use deliver::Delivery;

/// The service.
pub struct Sqs {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    envelope: Envelope,
    sequence: AtomicU64,
    /// Wakes those who wait for messages.
    sent: Notify,
    /// Whether nobody is to wait any more.
    ending: AtomicBool,
}

impl Sqs {
    /// The service over its records and the keys of KMS. Registers its job.
    pub fn new(database: Arc<Database>, env: Env, jobs: Arc<Jobs>, keys: Arc<dyn Keys>) -> Sqs {
        let envelope = Envelope::new(keys, "sqs", "aws:sqs:arn");
        jobs.handle(sweep::SWEEP, Arc::new(sweep::Sweep { database: Arc::clone(&database) }));
        let (sequence, sent, ending) = (AtomicU64::new(0), Notify::new(), AtomicBool::new(false));
        Sqs { database, env, jobs, envelope, sequence, sent, ending }
    }

    /// Answers all who wait for messages, now and from now on: the server is about to stop, and each
    /// finds the messages that come meanwhile elsewhere or later.
    pub fn end_waiting(&self) {
        self.ending.store(true, Ordering::SeqCst);
        self.sent.notify_waiters();
    }

    /// Whether [`Self::end_waiting`] was called: who reads queues without end stops.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// Mounts its operations, and registers the job that needs the whole of it.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        let moving = move_task::Moving { sqs: Arc::downgrade(self) };
        self.jobs.handle(move_task::MOVE, Arc::new(moving));
        haechi_sqs_model::ops::mount(router, self);
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
