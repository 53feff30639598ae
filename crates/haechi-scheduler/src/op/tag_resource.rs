//! `TagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::TagResource;
use haechi_scheduler_model::shapes::{TagResourceInput, TagResourceOutput};

use crate::store::{Place, Tags};
use crate::{Scheduler, group};

impl Handle<TagResource> for Scheduler {
    async fn handle(&self, cx: &Cx, input: TagResourceInput) -> Result<TagResourceOutput, Error> {
        let added = input.tags.into_iter().map(|tag| (tag.key, tag.value));
        self.change_tags(cx, &input.resource_arn, |tags| tags.extend(added)).await?;
        Ok(TagResourceOutput {})
    }
}

impl Scheduler {
    /// Reads the tags of a group, has `change` make others of them, and writes those.
    pub(super) async fn change_tags(
        &self,
        cx: &Cx,
        arn: &str,
        change: impl FnOnce(&mut Tags),
    ) -> Result<Tags, Error> {
        cx.authorize_on(arn)?;
        let (place, name) = (Place::of(cx), group::name(arn));
        if arn != place.group_arn(name) {
            return Err(group::missing(name));
        }
        let found = self.group(&place, name).await?;
        let mut record = match &found {
            Some(found) => found.value.clone(),
            None => group::new(name, Tags::new(), cx.now()),
        };
        let before = record.tags.clone();
        change(&mut record.tags);
        if record.tags != before {
            group::check(&record.tags)?;
            record.modified_ms = cx.now().millis();
            let mut batch = Batch::new();
            match &found {
                Some(found) => batch.replace(found, &record),
                None => batch.create(place.group(name), &record),
            }
            self.database.commit(batch).await?;
        }
        Ok(record.tags)
    }
}
