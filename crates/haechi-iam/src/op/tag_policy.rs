//! Adds tags to a managed policy, or changes them.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagPolicy;
use haechi_iam_model::shapes::TagPolicyRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<TagPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: TagPolicyRequest) -> Result<Unit, Error> {
        let keys = tags::keys(&input.tags);
        let asked =
            Conditions { request_tags: &input.tags, tag_keys: &keys, ..Conditions::default() };
        let policy = self.own_managed(cx, &input.policy_arn, asked).await?;
        tags::check(&input.tags, tags::KeyCase::Counts)?;
        let mut changed = policy.value.clone();
        changed.tags = tags::merged(changed.tags, &input.tags, tags::KeyCase::Counts)?;
        let mut batch = Batch::new();
        batch.replace(&policy, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
