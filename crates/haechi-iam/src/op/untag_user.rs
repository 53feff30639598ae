//! Takes tags from a user; keys that it does not have are no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagUser;
use haechi_iam_model::shapes::UntagUserRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<UntagUser> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagUserRequest) -> Result<Unit, Error> {
        self.untag::<UserRecord>(cx, &input.user_name, &input.tag_keys).await
    }
}
