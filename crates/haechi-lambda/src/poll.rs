//! Job: a queue is read, and its messages handed to the function.
//!
//! ```text
//! job ─ a minute: receive, gather ─► a task per batch: filter ─ invoke ─ delete ─► job, again
//! ```
//! A job belongs to a generation of its mapping: a change of the mapping schedules another, and the
//! old one ends when it next looks. What is not deleted comes again when its visibility timeout is
//! over, also after `kill -9`.
//!
//! Source: Developer Guide, "Using Lambda with Amazon SQS"; recordings.

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler};
use haechi_lambda_model::Error;
use haechi_wire::{Fault, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Sleep;

use crate::Lambda;
use crate::invoke::{Done, Given};
use crate::mapping::RECEIVED_MAX;
use crate::records::{EventQueue, QueueMessage, QueueRefusal, failures, is_wanted, record};
use crate::reference::Reference;
use crate::store::{MappingRecord, Place};

/// The kind of the jobs.
pub(crate) const POLL: &str = "lambda-poll";

/// Queues that are read at a time; others wait for their minute.
const AT_A_TIME: usize = 128;

/// How long a job polls, with one session of the role.
const RUN: Duration = Duration::from_secs(60);

/// Seconds for which a receive waits: as often a change of the mapping is looked for.
const WAIT_SECONDS: i32 = 1;

/// Seconds until a queue that cannot be read is tried again.
const AGAIN_SECONDS: i64 = 10;

/// Batches at work at a time, unless the mapping says otherwise.
const CONCURRENCY: i32 = 10;

/// Bytes of the bodies of a batch that is gathered, at most: an event has six MiB.
const BATCH_BYTES: usize = 4 << 20;

/// How often a batch is tried for which there is no room, a second apart.
const ROOM_TRIES: u32 = 10;

/// What a job is about.
#[derive(Serialize, Deserialize)]
struct About {
    account: String,
    region: String,
    id: String,
    generation: String,
}

/// The payload of a mapping's job.
pub(crate) fn about(mapping: &MappingRecord) -> Result<String, Fault> {
    let about = About {
        account: mapping.account.clone(),
        region: mapping.region.clone(),
        id: mapping.id.clone(),
        generation: mapping.generation.clone(),
    };
    serde_json::to_string(&about).map_err(Fault::internal)
}

/// Reads queues.
pub(crate) struct Polls {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) lambda: Weak<Lambda>,
}

#[async_trait]
impl JobHandler for Polls {
    async fn run(&self, job: &Job, _now: Timestamp) -> Result<Batch, Fault> {
        let lambda = self.lambda.upgrade();
        let lambda: Arc<Lambda> = lambda.ok_or_else(|| Fault::internal("Lambda has ended"))?;
        let about: About = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let mut batch = Batch::new();
        let again = lambda.poll(&about).await?;
        let now = lambda.env.now();
        match again {
            Again::Never => lambda.forget_work(&about.generation),
            Again::AtOnce => {
                batch.schedule(&Job::at_once(POLL, &job.id, now, job.payload.clone()));
            }
            Again::Later => {
                let due = now.plus_seconds(AGAIN_SECONDS);
                batch.schedule(&Job::new(POLL, &job.id, due, job.payload.clone()));
            }
        }
        Ok(batch)
    }

    fn at_a_time(&self) -> usize {
        AT_A_TIME
    }
}

/// When a queue is to be read again.
enum Again {
    Never,
    AtOnce,
    Later,
}

/// Whose messages a task works on.
struct Source {
    mapping: MappingRecord,
    queue: Arc<dyn EventQueue>,
    /// How long a message is hidden after it was received.
    hidden: Duration,
}

impl Lambda {
    /// The mapping, if the job is still that of its present state.
    async fn polled(&self, about: &About) -> Result<Option<MappingRecord>, Fault> {
        let place = Place { account: about.account.clone(), region: about.region.clone() };
        let found = self.database.load::<MappingRecord>(&place.mapping(&about.id)).await?;
        let found = found.map(|found| found.value);
        Ok(found.filter(|one| one.enabled && one.generation == about.generation))
    }

    async fn poll(self: &Arc<Self>, about: &About) -> Result<Again, Fault> {
        let Some(mapping) = self.polled(about).await? else { return Ok(Again::Never) };
        let Some(source) = self.source(mapping).await? else { return Ok(Again::Later) };
        let source = Arc::new(source);
        let work = self.work(&source.mapping);
        let mut end = pin!(tokio::time::sleep(RUN));
        while !is_over(end.as_mut()).await {
            if self.polled(about).await?.is_none() {
                return Ok(Again::Never);
            }
            let leave = tokio::select! {
                () = end.as_mut() => break,
                leave = Arc::clone(&work).acquire_owned() => leave.map_err(Fault::internal)?,
            };
            match gather(&source).await {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => {
                    let (lambda, source) = (Arc::clone(self), Arc::clone(&source));
                    tokio::spawn(async move {
                        lambda.hand_over(&source, messages).await;
                        drop(leave);
                    });
                }
                Err(refusal) => {
                    told(&source.mapping, &refusal.message);
                    return Ok(Again::Later);
                }
            }
        }
        Ok(Again::AtOnce)
    }

    /// The queue as the function's role reads it; none if that cannot be, just now.
    async fn source(&self, mapping: MappingRecord) -> Result<Option<Source>, Fault> {
        let reference = Reference::parse(&mapping.function_arn)
            .ok_or_else(|| Fault::internal("a mapping for no function"))?;
        let version = match self.mapped(&mapping.account, &reference).await {
            Ok((_, version)) => version,
            Err(Error::Fault(fault)) => return Err(fault),
            // The function is gone, or the version.
            Err(_) => return Ok(None),
        };
        let (function, region) = (reference.source()?, &reference.region);
        let queue = self.roles.queue(function, region, &version.role, &mapping.queue_arn).await;
        let checked = match queue {
            Ok(queue) => queue.check().await.map(|seconds| (queue, seconds)),
            Err(refusal) => Err(refusal),
        };
        match checked {
            Ok((queue, seconds)) => {
                let hidden = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                Ok(Some(Source { mapping, queue, hidden }))
            }
            Err(refusal) => {
                told(&mapping, &refusal.message);
                Ok(None)
            }
        }
    }

    /// Leave to work on batches of a mapping on this node.
    fn work(&self, mapping: &MappingRecord) -> Arc<Semaphore> {
        let most = mapping.concurrency_max.unwrap_or(CONCURRENCY);
        let most = usize::try_from(most).unwrap_or(1).max(1);
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let work = at_work.entry(mapping.generation.clone());
        Arc::clone(work.or_insert_with(|| Arc::new(Semaphore::new(most))))
    }

    fn forget_work(&self, generation: &str) {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(generation);
    }

    /// Hands a batch to the function, and deletes what it took.
    async fn hand_over(&self, source: &Source, messages: Vec<QueueMessage>) {
        let mapping = &source.mapping;
        let gathered = mapping.window_seconds > 0;
        let shown = |one: &QueueMessage| record(one, &mapping.queue_arn, gathered);
        let (wanted, others): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .map(|one| (shown(&one), one))
            .partition(|(record, _)| is_wanted(&mapping.filters, record));
        // What no filter wants is gone, as with AWS.
        let mut receipts: Vec<String> = others.into_iter().map(|(_, one)| one.receipt).collect();
        let ids: BTreeSet<&str> = wanted.iter().map(|(_, one)| one.id.as_str()).collect();
        if !ids.is_empty() {
            let records: Vec<_> = wanted.iter().map(|(record, _)| record).collect();
            let payload = json!({ "Records": records }).to_string();
            let failed = match self.hand(source, payload).await {
                Ok(done) if done.failed => None,
                Ok(done) if mapping.reports_failures => failures(&done.payload, &ids),
                Ok(_) => Some(BTreeSet::new()),
                Err(error) => {
                    told(mapping, &Problem::from(error).message());
                    None
                }
            };
            if let Some(failed) = failed {
                let taken = wanted.iter().filter(|(_, one)| !failed.contains(&one.id));
                receipts.extend(taken.map(|(_, one)| one.receipt.clone()));
            }
        }
        if !receipts.is_empty()
            && let Err(refusal) = source.queue.delete(receipts).await
        {
            told(mapping, &refusal.message);
        }
    }

    /// Invokes the function as it is now; where there is no room, again, while the messages stay
    /// hidden.
    async fn hand(&self, source: &Source, payload: String) -> Result<Done, Error> {
        let reference = Reference::parse(&source.mapping.function_arn)
            .ok_or_else(|| Fault::internal("a mapping for no function"))?;
        let mut tries = 0;
        loop {
            let (function, _) = self.mapped(&source.mapping.account, &reference).await?;
            let version = self.drawn(&function).await?;
            let given = Given {
                request_id: self.env.uuid().map_err(Fault::internal)?.to_string(),
                payload: payload.clone().into(),
                client_context: None,
            };
            let done = self.run(&function, &version, given).await;
            tries += 1;
            let takes = Duration::from_secs(u64::try_from(version.timeout).unwrap_or(0));
            // A try without room takes no time, and the next comes a second later.
            let waited = Duration::from_secs(u64::from(tries));
            let is_late = waited + takes >= source.hidden || tries >= ROOM_TRIES;
            match done {
                Err(Error::TooManyRequestsException(..)) if !is_late => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }
}

/// Whether a time is over, without waiting for it.
async fn is_over(end: Pin<&mut Sleep>) -> bool {
    tokio::select! {
        biased;
        () = end => true,
        () = std::future::ready(()) => false,
    }
}

/// Receives messages; where the mapping has a window, until it is over or the batch is full.
async fn gather(source: &Source) -> Result<Vec<QueueMessage>, QueueRefusal> {
    let (mapping, queue) = (&source.mapping, &source.queue);
    let size = usize::try_from(mapping.batch_size).unwrap_or(1).max(1);
    let most = |have: usize| {
        let left = i32::try_from(size.saturating_sub(have)).unwrap_or(RECEIVED_MAX);
        left.clamp(1, RECEIVED_MAX)
    };
    let mut messages = queue.receive(most(0), WAIT_SECONDS).await?;
    let window = Duration::from_secs(u64::try_from(mapping.window_seconds).unwrap_or(0));
    let mut end = pin!(tokio::time::sleep(window));
    let bytes =
        |messages: &[QueueMessage]| messages.iter().map(|one| one.body.len()).sum::<usize>();
    while !messages.is_empty()
        && messages.len() < size
        && bytes(&messages) < BATCH_BYTES
        && !is_over(end.as_mut()).await
    {
        // What has been received is handed over, whatever comes after it.
        match queue.receive(most(messages.len()), WAIT_SECONDS).await {
            Ok(more) => messages.extend(more),
            Err(refusal) => {
                told(mapping, &refusal.message);
                break;
            }
        }
    }
    Ok(messages)
}

fn told(mapping: &MappingRecord, error: &str) {
    let (queue, function) = (&mapping.queue_arn, &mapping.function_arn);
    tracing::warn!(mapping = mapping.id, queue, function, error, "messages have to wait");
}
