//! Deletes an instance profile that holds no role.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteInstanceProfile;
use haechi_iam_model::shapes::DeleteInstanceProfileRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::ProfileRecord;

impl Handle<DeleteInstanceProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteInstanceProfileRequest) -> Result<Unit, Error> {
        let name = &input.instance_profile_name;
        let profile = self.profile(cx, name, Conditions::default()).await?;
        if profile.value.role.is_some() {
            let message = "Cannot delete entity, must remove roles from instance profile first.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch.remove(&profile);
        self.database.commit(batch).await?;
        self.counts.deleted::<ProfileRecord>(cx.account());
        Ok(Unit)
    }
}
