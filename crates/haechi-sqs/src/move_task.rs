//! Dead letters on their way back: tasks that move what is in a dead-letter queue to where it came
//! from, or to another queue.
//!
//! A job moves some messages in one transaction with what it counts, so that none is lost or twice
//! there, and comes again until nothing is left that can be received.

use std::sync::Weak;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Job, JobHandler, Loaded, Record};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Sqs;
use crate::content::remove_content;
use crate::store::{MessageRecord, Place, QueueRecord};

/// The kind of the job.
pub(crate) const MOVE: &str = "sqs-move";

/// Messages that are moved in one transaction, which takes a hundred writes.
const AT_ONCE: i32 = 20;

/// Writes after which a transaction takes no further message.
const WRITES_MAX: usize = 60;

/// What a task does with the dead-letter queue (Developer Guide, "API permissions reference").
pub(crate) const TAKING: [&str; 3] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";
const NO_SOURCE: &str = "CouldNotDetermineMessageSource";

/// A task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MoveTaskRecord {
    pub(crate) id: String,
    pub(crate) source_arn: String,
    /// The id of the source queue.
    pub(crate) source: String,
    /// None: where each message came from.
    pub(crate) destination_arn: Option<String>,
    /// The ids of the queues that its caller might send to when it began: no message goes elsewhere.
    #[serde(default)]
    pub(crate) destinations: Vec<String>,
    pub(crate) per_second: Option<i32>,
    pub(crate) started_ms: i64,
    pub(crate) moved: i64,
    /// Messages that could be received when it began.
    pub(crate) to_move: i64,
    pub(crate) status: Status,
    pub(crate) failure: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for MoveTaskRecord {}

/// How a task is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Completed => "COMPLETED",
            Status::Cancelled => "CANCELLED",
            Status::Failed => "FAILED",
        }
    }
}

/// The task that a queue is being emptied by: one at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MovingRecord {
    pub(crate) task: String,
    pub(crate) started_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for MovingRecord {}

/// Which task a job is for.
#[derive(Serialize, Deserialize)]
struct Target {
    account: String,
    region: String,
    source: String,
    started_ms: i64,
    task: String,
}

/// What a caller names a task by.
pub(crate) fn handle(task: &MoveTaskRecord) -> String {
    let plain = json!({"taskId": task.id, "sourceArn": task.source_arn});
    STANDARD.encode(plain.to_string())
}

/// Id and source of the task that a handle names.
pub(crate) fn parse_handle(handle: &str) -> Option<(String, String)> {
    let plain = STANDARD.decode(handle).ok()?;
    let plain: Value = serde_json::from_slice(&plain).ok()?;
    let text = |name: &str| plain.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("taskId")?, text("sourceArn")?))
}

/// The job of a task.
pub(crate) fn job(place: &Place, task: &MoveTaskRecord, now: Timestamp) -> Result<Job, Fault> {
    let target = Target {
        account: place.account.clone(),
        region: place.region.clone(),
        source: task.source.clone(),
        started_ms: task.started_ms,
        task: task.id.clone(),
    };
    let payload = serde_json::to_string(&target).map_err(Fault::internal)?;
    Ok(Job::new(MOVE, &task.id, now, payload))
}

/// Ends a task, and lets the next one begin.
pub(crate) fn end(
    place: &Place,
    loaded: &Loaded<MoveTaskRecord>,
    task: &MoveTaskRecord,
    batch: &mut Batch,
) {
    batch.replace(loaded, task);
    batch.delete(place.moving(&task.source));
}

pub(crate) struct Moving {
    pub(crate) sqs: Weak<Sqs>,
}

#[async_trait]
impl JobHandler for Moving {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let gone = || Fault::internal("the service of queues has ended");
        let sqs = self.sqs.upgrade().ok_or_else(gone)?;
        let target: Target = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let place = Place { account: target.account, region: target.region };
        let path = place.move_task(&target.source, target.started_ms, &target.task);
        let loaded = sqs.database.load::<MoveTaskRecord>(&path).await?;
        let mut batch = Batch::new();
        let Some(loaded) = loaded.filter(|task| task.value.status == Status::Running) else {
            return Ok(batch);
        };
        let mut task = loaded.value.clone();
        match sqs.move_some(&place, &task, now, &mut batch).await? {
            Ok(0) => {
                task.status = Status::Completed;
                end(&place, &loaded, &task, &mut batch);
            }
            Ok(moved) => {
                task.moved += moved;
                batch.replace(&loaded, &task);
                let wait_ms =
                    task.per_second.map_or(0, |rate| moved * 1000 / i64::from(rate.max(1)));
                let due_ms = now.millis().saturating_add(wait_ms).max(job.due_ms + 1);
                batch.schedule(&Job { due_ms, ..job.clone() });
            }
            Err(failure) => {
                let mut batch = Batch::new();
                (task.status, task.failure) = (Status::Failed, Some(failure));
                end(&place, &loaded, &task, &mut batch);
                return Ok(batch);
            }
        }
        sqs.sent.notify_waiters();
        Ok(batch)
    }
}

impl Sqs {
    /// Moves some messages that can be received; answers how many, or why the task has failed.
    async fn move_some(
        &self,
        place: &Place,
        task: &MoveTaskRecord,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<Result<i64, String>, Fault> {
        let name = task.source_arn.rsplit(':').next().unwrap_or_default();
        let source = self.database.load::<QueueRecord>(&place.queue(name)).await?;
        let Some(source) = source.filter(|queue| queue.value.id == task.source) else {
            return Ok(Err(NO_QUEUE.to_owned()));
        };
        let limit = task.per_second.unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
        let limit = u32::try_from(limit).unwrap_or(1);
        let prefix = place.messages(&source.value.id);
        // Of a FIFO queue, some of the first may be in flight.
        let rows = if source.value.name.ends_with(".fifo") { 500 } else { limit };
        let page = self.database.list::<MessageRecord>(&prefix, None, rows).await?;
        let is_due = |row: &&Loaded<MessageRecord>| row.value.due_ms <= now.millis();
        let rows = page.items.iter().filter(is_due).take(usize::try_from(limit).unwrap_or(1));
        let (mut moved, mut writes) = (0, 0);
        for row in rows {
            let to = match self.way_back(place, task, &row.value).await? {
                Ok(to) => to,
                // What can be moved before it is.
                Err(_) if moved > 0 => break,
                Err(failure) => return Ok(Err(failure.to_owned())),
            };
            let mut message = row.value.clone();
            self.load_content(place, &mut message).await?;
            message.id = self.env.uuid().map_err(Fault::internal)?.to_string();
            message.sequence = self.next_sequence(now);
            if to.name.ends_with(".fifo") {
                message.sequence = self.in_order(place, &to, message.sequence, batch).await?;
            }
            message.pieces = 0;
            (message.sent_ms, message.due_ms) = (now.millis(), now.millis());
            message.enqueued_ms = None;
            (message.receive_count, message.first_received_ms) = (0, None);
            message.source_arn = None;
            self.store_content(place, &mut message).await?;
            batch.create(place.message(&to, message.due_ms, message.sequence), &message);
            batch.remove(row);
            batch.delete(place.receipt(&source.value.id, &row.value.id));
            writes += 3 + remove_content(batch, place, &row.value);
            moved += 1;
            // Where nodes share a FIFO queue, a transaction takes its next number once.
            let is_shared = to.name.ends_with(".fifo") && !self.database.is_alone();
            if writes > WRITES_MAX || is_shared {
                break;
            }
        }
        Ok(Ok(moved))
    }

    /// The queue that a message goes to, or why the task has failed.
    async fn way_back(
        &self,
        place: &Place,
        task: &MoveTaskRecord,
        message: &MessageRecord,
    ) -> Result<Result<QueueRecord, &'static str>, Fault> {
        let Some(arn) = task.destination_arn.as_ref().or(message.source_arn.as_ref()) else {
            return Ok(Err(NO_SOURCE));
        };
        let name = arn.rsplit(':').next().unwrap_or_default();
        let Some(to) = self.database.load::<QueueRecord>(&place.queue(name)).await? else {
            return Ok(Err(NO_QUEUE));
        };
        // A later queue of an old name is another.
        if task.destinations.contains(&to.value.id) {
            return Ok(Ok(to.value));
        }
        Ok(Err(if task.destination_arn.is_some() { NO_QUEUE } else { NO_SOURCE }))
    }
}
