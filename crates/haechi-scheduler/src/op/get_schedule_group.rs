//! `GetScheduleGroup`.

use haechi_core::{Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::GetScheduleGroup;
use haechi_scheduler_model::shapes::{
    GetScheduleGroupInput, GetScheduleGroupOutput, ScheduleGroupState,
};
use haechi_wire::Timestamp;

use crate::Scheduler;
use crate::store::Place;

impl Handle<GetScheduleGroup> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetScheduleGroupInput,
    ) -> Result<GetScheduleGroupOutput, Error> {
        let (place, name) = (Place::of(cx), input.name);
        let arn = place.group_arn(&name);
        self.allow_group(cx, &place, &name).await?;
        let found = self.group(&place, &name).await?.map(|found| found.value);
        let time = |ms: i64| Timestamp::from_millis(ms);
        Ok(GetScheduleGroupOutput {
            arn: Some(arn),
            name: Some(name),
            state: Some(ScheduleGroupState::Active),
            creation_date: found.as_ref().map(|group| time(group.created_ms)),
            last_modification_date: found.as_ref().map(|group| time(group.modified_ms)),
        })
    }
}
