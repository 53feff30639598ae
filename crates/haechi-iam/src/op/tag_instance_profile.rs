//! Adds tags to an instance profile, or changes them.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagInstanceProfile;
use haechi_iam_model::shapes::TagInstanceProfileRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<TagInstanceProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: TagInstanceProfileRequest) -> Result<Unit, Error> {
        let keys = tags::keys(&input.tags);
        let asked =
            Conditions { request_tags: &input.tags, tag_keys: &keys, ..Conditions::default() };
        let profile = self.profile(cx, &input.instance_profile_name, asked).await?;
        tags::check(&input.tags, tags::KeyCase::Counts)?;
        let mut changed = profile.value.clone();
        changed.tags = tags::merged(changed.tags, &input.tags, tags::KeyCase::Counts)?;
        let mut batch = Batch::new();
        batch.replace(&profile, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
