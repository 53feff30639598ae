//! `CreateScheduleGroup`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::CreateScheduleGroup;
use haechi_scheduler_model::shapes::{CreateScheduleGroupInput, CreateScheduleGroupOutput};

use crate::store::{GroupRecord, Place, Tags};
use crate::{Scheduler, group};

/// Groups of an account in a Region, at most (Quotas, "Number of schedule groups").
const GROUPS_MAX: usize = 500;

impl Handle<CreateScheduleGroup> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateScheduleGroupInput,
    ) -> Result<CreateScheduleGroupOutput, Error> {
        let (place, name) = (Place::of(cx), input.name);
        let schedule_group_arn = place.group_arn(&name);
        let tags = input.tags.unwrap_or_default();
        let tags: Tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        let facts = Facts::putting(&tags);
        cx.authorize_knowing(&schedule_group_arn, &facts)?;
        cx.authorize_tagging("scheduler:TagResource", &schedule_group_arn, &facts)?;
        group::check_added(&tags)?;
        group::check(&tags)?;
        let conflict =
            || Error::ConflictException(format!("Schedule group {name} already exists."));
        let found = self.database.load::<GroupRecord>(&place.group(&name)).await?;
        if let Some(found) = found {
            // The same request, sent again.
            if found.value.client_token.is_some() && found.value.client_token == input.client_token
            {
                return Ok(CreateScheduleGroupOutput { schedule_group_arn });
            }
            return Err(conflict());
        }
        if name == group::DEFAULT {
            return Err(conflict());
        }
        let count = self.database.list_all::<GroupRecord>(&place.groups()).await?.len();
        if count >= GROUPS_MAX {
            let told = format!("There are {GROUPS_MAX} schedule groups already.");
            return Err(Error::ServiceQuotaExceededException(told));
        }
        let mut record = group::new(&name, tags, cx.now());
        record.client_token = input.client_token;
        let mut batch = Batch::new();
        batch.create(place.group(&name), &record);
        self.database.commit(batch).await?;
        Ok(CreateScheduleGroupOutput { schedule_group_arn })
    }
}
