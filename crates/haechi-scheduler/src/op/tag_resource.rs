//! `TagResource`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::TagResource;
use haechi_scheduler_model::shapes::{TagResourceInput, TagResourceOutput};

use crate::store::{GroupRecord, Place, Tags};
use crate::{Scheduler, group};

impl Handle<TagResource> for Scheduler {
    async fn handle(&self, cx: &Cx, input: TagResourceInput) -> Result<TagResourceOutput, Error> {
        let added: Tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        let facts = Facts::putting(&added);
        let change = |tags: &mut Tags| {
            group::check_added(&added)?;
            tags.extend(added.clone());
            Ok(())
        };
        self.change_tags(cx, &input.resource_arn, facts, change).await?;
        Ok(TagResourceOutput {})
    }
}

impl Scheduler {
    /// Decides this operation on a group, by its tags too.
    pub(super) async fn allow_group(
        &self,
        cx: &Cx,
        place: &Place,
        name: &str,
    ) -> Result<(), Error> {
        let found = self.database.load::<GroupRecord>(&place.group(name)).await?;
        let facts = found.as_ref().map(|group| Facts::of(&group.value.tags)).unwrap_or_default();
        cx.authorize_knowing(&place.group_arn(name), &facts)?;
        Ok(())
    }

    /// Reads the tags of a group, has `change` make others of them, and writes those.
    pub(super) async fn change_tags(
        &self,
        cx: &Cx,
        arn: &str,
        mut facts: Facts<'_>,
        change: impl FnOnce(&mut Tags) -> Result<(), Error>,
    ) -> Result<Tags, Error> {
        let (place, name) = (Place::of(cx), group::name(arn));
        let path = place.group(name);
        let named = self.database.load::<GroupRecord>(&path).await?;
        facts.of_resource = named.as_ref().map(|group| &group.value.tags);
        cx.authorize_knowing(arn, &facts)?;
        if arn != place.group_arn(name) {
            return Err(group::missing(name));
        }
        let found = self.group(&place, name).await?;
        let mut record = match &found {
            Some(found) => found.value.clone(),
            None => group::new(name, Tags::new(), cx.now()),
        };
        let before = record.tags.clone();
        change(&mut record.tags)?;
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
