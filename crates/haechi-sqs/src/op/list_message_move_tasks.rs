//! `ListMessageMoveTasks`.

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ListMessageMoveTasks;
use haechi_sqs_model::shapes::{
    ListMessageMoveTasksRequest, ListMessageMoveTasksResult, ListMessageMoveTasksResultEntry,
};

use crate::Sqs;
use crate::move_task::{self, MoveTaskRecord, Status};

impl Handle<ListMessageMoveTasks> for Sqs {
    /// The newest first.
    async fn handle(
        &self,
        cx: &Cx,
        input: ListMessageMoveTasksRequest,
    ) -> Result<ListMessageMoveTasksResult, Error> {
        let actions = (cx.operation.action, &["sqs:GetQueueAttributes"][..]);
        let source = self.queue_of_task(cx, "SourceArn", &input.source_arn, actions).await?;
        let max = input.max_results.unwrap_or(1);
        let told = "Value for parameter MaxResults is invalid. Reason: You must use values between 1 and 10.";
        let limit = u32::try_from(max).ok().filter(|max| (1..=10).contains(max));
        let limit = limit.ok_or_else(|| Error::InvalidParameterValueException(told.to_owned()))?;
        let prefix = source.place.move_tasks(&source.record().id);
        let page = self.database.list::<MoveTaskRecord>(&prefix, None, limit).await?;
        let results = page.items.into_iter().map(|row| show(row.value)).collect();
        Ok(ListMessageMoveTasksResult { results: Some(results) })
    }
}

fn show(task: MoveTaskRecord) -> ListMessageMoveTasksResultEntry {
    let is_running = task.status == Status::Running;
    ListMessageMoveTasksResultEntry {
        // Only what can still be cancelled has one.
        task_handle: is_running.then(|| move_task::handle(&task)),
        status: Some(task.status.name().to_owned()),
        source_arn: Some(task.source_arn),
        destination_arn: task.destination_arn,
        max_number_of_messages_per_second: task.per_second,
        approximate_number_of_messages_moved: Some(task.moved),
        approximate_number_of_messages_to_move: Some(task.to_move),
        failure_reason: task.failure,
        started_timestamp: Some(task.started_ms),
    }
}
