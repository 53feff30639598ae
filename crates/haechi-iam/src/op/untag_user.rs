//! Takes tags from a user; keys that it does not have are no error.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagUser;
use haechi_iam_model::shapes::UntagUserRequest;
use haechi_wire::shape::Unit;

use crate::store::UserRecord;
use crate::{Iam, tags};

impl Handle<UntagUser> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagUserRequest) -> Result<Unit, Error> {
        let user = self.user_with(cx, &input.user_name, &[], &input.tag_keys).await?;
        let tags = tags::without(user.value.tags.clone(), &input.tag_keys);
        let mut batch = Batch::new();
        batch.replace(&user, &UserRecord { tags, ..user.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
