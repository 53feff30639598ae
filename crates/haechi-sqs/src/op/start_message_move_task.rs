//! `StartMessageMoveTask`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::StartMessageMoveTask;
use haechi_sqs_model::shapes::{StartMessageMoveTaskRequest, StartMessageMoveTaskResult};
use haechi_wire::Fault;

use crate::Sqs;
use crate::error::invalid;
use crate::move_task::{self, MoveTaskRecord, MovingRecord, Status};
use crate::queue::{self, Actions, Queue};
use crate::store::QueueRecord;

/// What a task does with the queue that it moves messages to.
const SENDING: Actions<'static> = ("sqs:SendMessage", &[]);

impl Handle<StartMessageMoveTask> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: StartMessageMoveTaskRequest,
    ) -> Result<StartMessageMoveTaskResult, Error> {
        let actions = (cx.operation.action, &move_task::TAKING[..]);
        let source = self.queue_of_task(cx, "SourceArn", &input.source_arn, actions).await?;
        let destination = match &input.destination_arn {
            Some(arn) => Some(self.destination(cx, &source, arn).await?),
            None => None,
        };
        let per_second = input.max_number_of_messages_per_second;
        if let Some(other) = per_second.filter(|count| !(1..=500).contains(count)) {
            let told = "Must be between 1 and 500, if provided.";
            return Err(invalid("MaxNumberOfMessagesPerSecond", &other.to_string(), told));
        }
        let sources = self.dead_letter_sources(&source).await?;
        if sources.is_empty() {
            let told = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        let destinations = match destination {
            Some(id) => vec![id],
            None => self.may_send_back(cx, &sources).await?,
        };
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
            destinations,
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
    /// The queue of an ARN that a parameter names, if the caller may do all this with it.
    pub(super) async fn queue_of_task(
        &self,
        cx: &Cx,
        parameter: &str,
        arn: &str,
        actions: Actions<'_>,
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
        match self.queue_for(cx, actions, &account, &name).await {
            Ok((queue, _)) => Ok(queue),
            Err(Error::QueueDoesNotExist(_)) => Err(missing()),
            Err(other) => Err(other),
        }
    }

    /// The id of a queue that messages may be moved to: it is there, of the same account and kind,
    /// and the caller may send to it.
    async fn destination(&self, cx: &Cx, source: &Queue, arn: &str) -> Result<String, Error> {
        let to = self.queue_of_task(cx, "DestinationArn", arn, SENDING).await?;
        if to.place.account != source.place.account || to.is_fifo() != source.is_fifo() {
            let told = "Source and destination must be queues of the same type and account.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        if to.record().id == source.record().id {
            let told = "Source queue arn and destination queue arn cannot be the same.";
            return Err(Error::InvalidParameterValueException(told.to_owned()));
        }
        Ok(to.record().id.clone())
    }

    /// The ids of the queues that dead letters go back to, if the caller may send to each.
    async fn may_send_back(&self, cx: &Cx, sources: &[QueueRecord]) -> Result<Vec<String>, Error> {
        let mut ids = Vec::with_capacity(sources.len());
        for source in sources {
            let (queue, _) = self.queue_for(cx, SENDING, cx.account(), &source.name).await?;
            ids.push(queue.record().id.clone());
        }
        Ok(ids)
    }
}
