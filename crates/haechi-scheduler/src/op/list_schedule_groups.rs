//! `ListScheduleGroups`.

use haechi_core::{Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::ListScheduleGroups;
use haechi_scheduler_model::shapes::{
    ListScheduleGroupsInput, ListScheduleGroupsOutput, ScheduleGroupState, ScheduleGroupSummary,
};
use haechi_wire::Timestamp;

use crate::store::{GroupRecord, Place};
use crate::{Scheduler, group};

/// Groups in a page, at most and unless a caller wants fewer.
const PAGE_MAX: usize = 100;

impl Handle<ListScheduleGroups> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListScheduleGroupsInput,
    ) -> Result<ListScheduleGroupsOutput, Error> {
        cx.authorize_any()?;
        let place = Place::of(cx);
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        let summary = |name: &str| ScheduleGroupSummary {
            arn: Some(place.group_arn(name)),
            name: Some(name.to_owned()),
            state: Some(ScheduleGroupState::Active),
            ..Default::default()
        };
        let rows = self.database.list_all::<GroupRecord>(&place.groups()).await?;
        let mut groups: Vec<(String, ScheduleGroupSummary)> = rows
            .into_iter()
            .map(|row| row.value)
            .map(|group| {
                let summary = ScheduleGroupSummary {
                    creation_date: time(group.created_ms),
                    last_modification_date: time(group.modified_ms),
                    ..summary(&group.name)
                };
                (group.name, summary)
            })
            .collect();
        if !groups.iter().any(|(name, _)| name == group::DEFAULT) {
            groups.push((group::DEFAULT.to_owned(), summary(group::DEFAULT)));
        }
        let prefix = input.name_prefix.unwrap_or_default();
        let after = input.next_token.unwrap_or_default();
        groups.retain(|(name, _)| name.starts_with(&prefix) && *name > after);
        groups.sort_by(|(one, _), (other, _)| one.cmp(other));
        let size = input.max_results.and_then(|count| usize::try_from(count).ok());
        let size = size.unwrap_or(PAGE_MAX);
        let more = groups.len() > size;
        groups.truncate(size);
        let next_token = groups.last().filter(|_| more).map(|(name, _)| name.clone());
        let schedule_groups = groups.into_iter().map(|(_, summary)| summary).collect();
        Ok(ListScheduleGroupsOutput { schedule_groups, next_token })
    }
}
