//! Writes the trust policy of a role anew. It decides from the next call on; sessions stay.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateAssumeRolePolicy;
use haechi_iam_model::shapes::UpdateAssumeRolePolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::entity::Entity;
use crate::store::RoleRecord;

impl Handle<UpdateAssumeRolePolicy> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateAssumeRolePolicyRequest) -> Result<Unit, Error> {
        let role = self.entity::<RoleRecord>(cx, &input.role_name).await?;
        role.value.check_modifiable()?;
        let mut changed = role.value.clone();
        changed.trust_principals = self.check_trust(&input.policy_document).await?;
        changed.trust = input.policy_document;
        let mut batch = Batch::new();
        batch.replace(&role, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
