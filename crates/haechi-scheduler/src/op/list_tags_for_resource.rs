//! `ListTagsForResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::ListTagsForResource;
use haechi_scheduler_model::shapes::{ListTagsForResourceInput, ListTagsForResourceOutput, Tag};

use crate::Scheduler;

impl Handle<ListTagsForResource> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, Error> {
        let facts = Facts::default();
        let tags = self.change_tags(cx, &input.resource_arn, facts, |_| Ok(())).await?;
        let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        Ok(ListTagsForResourceOutput { tags: Some(tags) })
    }
}
