//! Takes tags from a managed policy.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagPolicy;
use haechi_iam_model::shapes::UntagPolicyRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<UntagPolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagPolicyRequest) -> Result<Unit, Error> {
        let asked = Conditions { tag_keys: &input.tag_keys, ..Conditions::default() };
        let policy = self.own_managed(cx, &input.policy_arn, asked).await?;
        let mut changed = policy.value.clone();
        changed.tags = tags::without(changed.tags, &input.tag_keys, tags::KeyCase::Counts);
        let mut batch = Batch::new();
        batch.replace(&policy, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
