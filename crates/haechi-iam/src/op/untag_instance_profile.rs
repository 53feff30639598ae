//! Takes tags from an instance profile.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagInstanceProfile;
use haechi_iam_model::shapes::UntagInstanceProfileRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<UntagInstanceProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagInstanceProfileRequest) -> Result<Unit, Error> {
        let asked = Conditions { tag_keys: &input.tag_keys, ..Conditions::default() };
        let profile = self.profile(cx, &input.instance_profile_name, asked).await?;
        let mut changed = profile.value.clone();
        changed.tags = tags::without(changed.tags, &input.tag_keys, tags::KeyCase::Counts);
        let mut batch = Batch::new();
        batch.replace(&profile, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
