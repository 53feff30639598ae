//! `UntagResource`.

use haechi_core::{Cx, Facts, Handle};
use haechi_scheduler_model::Error;
use haechi_scheduler_model::ops::UntagResource;
use haechi_scheduler_model::shapes::{UntagResourceInput, UntagResourceOutput};

use crate::Scheduler;

impl Handle<UntagResource> for Scheduler {
    async fn handle(
        &self,
        cx: &Cx,
        input: UntagResourceInput,
    ) -> Result<UntagResourceOutput, Error> {
        let without = |tags: &mut crate::store::Tags| {
            tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        };
        let facts = Facts::default().and_taking(&input.tag_keys);
        self.change_tags(cx, &input.resource_arn, facts, without).await?;
        Ok(UntagResourceOutput {})
    }
}
