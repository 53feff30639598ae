//! `DeleteScheduleGroup`: its schedules go with it.

use haechi_core::{Batch, Cx, Handle, NoContext};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::DeleteScheduleGroup;
use haechi_scheduler_model::shapes::{DeleteScheduleGroupInput, DeleteScheduleGroupOutput};

use crate::store::{Place, ScheduleRecord};
use crate::{Scheduler, group, invalid};

/// Schedules that go in one transaction, with a job each.
const AT_ONCE: u32 = 45;

impl Handle<DeleteScheduleGroup> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteScheduleGroupInput,
    ) -> Result<DeleteScheduleGroupOutput, Error> {
        let (place, name) = (Place::of(cx), input.name);
        self.allow_group(cx, &place, &name).await?;
        if name == group::DEFAULT {
            return Err(invalid("The default schedule group cannot be deleted."));
        }
        let found = self.group(&place, &name).await?;
        let schedules = place.schedules(Some(&name));
        // All of them before the first one goes.
        for schedule in self.database.list_all::<ScheduleRecord>(&schedules).await? {
            allow_deletion(cx, &place, &schedule.value)?;
        }
        loop {
            let page = self.database.list::<ScheduleRecord>(&schedules, None, AT_ONCE).await?;
            let mut batch = Batch::new();
            for schedule in &page.items {
                allow_deletion(cx, &place, &schedule.value)?;
            }
            for schedule in &page.items {
                batch.remove(schedule);
                place.job(&schedule.value)?.iter().for_each(|job| batch.cancel(job));
            }
            let is_last = page.next.is_none();
            if is_last {
                found.iter().for_each(|group| batch.remove(group));
            }
            self.database.commit(batch).await?;
            if is_last {
                return Ok(DeleteScheduleGroupOutput {});
            }
        }
    }
}

/// The schedules of a group go only if each may (Service Authorization Reference: the operation
/// depends on `scheduler:DeleteSchedule`).
fn allow_deletion(cx: &Cx, place: &Place, schedule: &ScheduleRecord) -> Result<(), Error> {
    let arn = place.schedule_arn(&schedule.group, &schedule.name);
    cx.authorize_also("scheduler:DeleteSchedule", &arn, &NoContext)?;
    Ok(())
}
