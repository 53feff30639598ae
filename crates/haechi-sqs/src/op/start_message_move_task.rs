//! `StartMessageMoveTask`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, Operation as _};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::{SendMessage, StartMessageMoveTask};
use haechi_sqs_model::shapes::{StartMessageMoveTaskRequest, StartMessageMoveTaskResult};
use haechi_wire::Fault;

use crate::Sqs;
use crate::attributes::Attributes;
use crate::error::invalid;
use crate::move_task::{self, MoveTaskRecord, MovingRecord, Status};
use crate::queue::{self, Queue};
use crate::store::QueueRecord;

impl Handle<StartMessageMoveTask> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: StartMessageMoveTaskRequest,
    ) -> Result<StartMessageMoveTaskResult, Error> {
        let source = self.queue_of_task(cx, "SourceArn", &input.source_arn).await?;
        if let Some(arn) = &input.destination_arn {
            self.check_destination(cx, &source, arn).await?;
        }
        let per_second = input.max_number_of_messages_per_second;
        if let Some(other) = per_second.filter(|count| !(1..=500).contains(count)) {
            let told = "Must be between 1 and 500, if provided.";
            return Err(invalid("MaxNumberOfMessagesPerSecond", &other.to_string(), told));
        }
        if !self.is_dead_letter_queue(&source).await? {
            let told = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        let (place, id) = (&source.place, &source.record().id);
        if self.database.load::<MovingRecord>(&place.moving(id)).await?.is_some() {
            let told = "There is already a task running. Only one active task is allowed for a source queue arn at a given time.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        let now_ms = cx.now().millis();
        let counts = self.counts(&source, now_ms).await?;
        let to_move = counts.get("ApproximateNumberOfMessages").and_then(|text| text.parse().ok());
        let task = MoveTaskRecord {
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            source_arn: source.arn.clone(),
            source: id.clone(),
            destination_arn: input.destination_arn,
            per_second,
            started_ms: now_ms,
            moved: 0,
            to_move: to_move.unwrap_or(0),
            status: Status::Running,
            failure: None,
            unknown: Unknown::new(),
        };
        let moving =
            MovingRecord { task: task.id.clone(), started_ms: now_ms, unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.create(place.moving(id), &moving);
        batch.create(place.move_task(id, now_ms, &task.id), &task);
        batch.schedule(&move_task::job(place, &task, cx.now())?);
        self.database.commit(batch).await?;
        Ok(StartMessageMoveTaskResult { task_handle: Some(move_task::handle(&task)) })
    }
}

impl Sqs {
    /// The queue of an ARN that a parameter names, if the caller may call this operation on it.
    pub(super) async fn queue_of_task(
        &self,
        cx: &Cx,
        parameter: &str,
        arn: &str,
    ) -> Result<Queue, Error> {
        let missing = || {
            Error::ResourceNotFoundException(format!(
                "The resource that you specified for the {parameter} parameter doesn't exist."
            ))
        };
        let (account, name) = queue::parse_arn(cx, arn).ok_or_else(missing)?;
        // Nobody is let in from another account (Developer Guide, "Limitations of custom policies"),
        // and nobody learns what is there.
        if account != *cx.account() {
            return Err(missing());
        }
        match self.queue_named(cx, &account, &name).await {
            Ok((queue, _)) => Ok(queue),
            Err(Error::QueueDoesNotExist(_)) => Err(missing()),
            Err(other) => Err(other),
        }
    }

    /// Whether messages may be moved to a queue: it is there, of the same account and kind, and the
    /// caller may send to it.
    async fn check_destination(&self, cx: &Cx, source: &Queue, arn: &str) -> Result<(), Error> {
        let sending = cx.forward(SendMessage::SCHEMA, "sqs");
        let to = self.queue_of_task(&sending, "DestinationArn", arn).await?;
        if to.place.account != source.place.account || to.is_fifo() != source.is_fifo() {
            let told = "Source and destination must be queues of the same type and account.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        if to.record().id == source.record().id {
            let told = "Source queue arn and destination queue arn cannot be the same.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        Ok(())
    }

    /// Whether another queue sends its dead letters here.
    async fn is_dead_letter_queue(&self, queue: &Queue) -> Result<bool, Fault> {
        let queues = self.database.list_all::<QueueRecord>(&queue.place.queues()).await?;
        Ok(queues.iter().any(|other| {
            let redrive = Attributes(&other.value.attributes).redrive();
            redrive.is_some_and(|redrive| redrive.target_arn == queue.arn)
        }))
    }
}
