//! `DeleteSchedule`.

use haechi_core::{Batch, Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::DeleteSchedule;
use haechi_scheduler_model::shapes::{DeleteScheduleInput, DeleteScheduleOutput};

use crate::{Scheduler, group};

impl Handle<DeleteSchedule> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteScheduleInput,
    ) -> Result<DeleteScheduleOutput, Error> {
        let group = input.group_name.as_deref().unwrap_or(group::DEFAULT);
        let (place, found) = self.schedule(cx, group, &input.name).await?;
        let mut batch = Batch::new();
        batch.remove(&found);
        place.job(&found.value)?.iter().for_each(|job| batch.cancel(job));
        self.database.commit(batch).await?;
        Ok(DeleteScheduleOutput {})
    }
}
