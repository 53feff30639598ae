//! Adds tags to a user, or changes them.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagUser;
use haechi_iam_model::shapes::TagUserRequest;
use haechi_wire::shape::Unit;

use crate::store::UserRecord;
use crate::{Iam, tags};

impl Handle<TagUser> for Iam {
    async fn handle(&self, cx: &Cx, input: TagUserRequest) -> Result<Unit, Error> {
        let keys = tags::keys(&input.tags);
        let user = self.user_with(cx, &input.user_name, &input.tags, &keys).await?;
        tags::check(&input.tags)?;
        let tags = tags::merged(user.value.tags.clone(), &input.tags)?;
        let mut batch = Batch::new();
        batch.replace(&user, &UserRecord { tags, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
