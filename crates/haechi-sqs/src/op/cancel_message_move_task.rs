//! `CancelMessageMoveTask`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::CancelMessageMoveTask;
use haechi_sqs_model::shapes::{CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult};

use crate::Sqs;
use crate::move_task::{self, MoveTaskRecord, MovingRecord, Status};

impl Handle<CancelMessageMoveTask> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: CancelMessageMoveTaskRequest,
    ) -> Result<CancelMessageMoveTaskResult, Error> {
        let told = "Value for parameter TaskHandle is invalid.";
        let (id, source_arn) = move_task::parse_handle(&input.task_handle)
            .ok_or_else(|| Error::InvalidParameterValueException(told.to_owned()))?;
        let actions = (cx.operation.action, &move_task::TAKING[..]);
        let source = self.queue_of_task(cx, "SourceArn", &source_arn, actions).await?;
        let missing = || Error::ResourceNotFoundException("Task does not exist.".to_owned());
        let (place, queue) = (&source.place, &source.record().id);
        let moving = self.database.load::<MovingRecord>(&place.moving(queue)).await?;
        let moving = moving.map(|row| row.value).filter(|moving| moving.task == id);
        let started_ms = moving.ok_or_else(missing)?.started_ms;
        let path = place.move_task(queue, started_ms, &id);
        let loaded = self.database.load::<MoveTaskRecord>(&path).await?.ok_or_else(missing)?;
        let task = MoveTaskRecord { status: Status::Cancelled, ..loaded.value.clone() };
        let mut batch = Batch::new();
        move_task::end(place, &loaded, &task, &mut batch);
        self.database.commit(batch).await?;
        Ok(CancelMessageMoveTaskResult { approximate_number_of_messages_moved: Some(task.moved) })
    }
}
