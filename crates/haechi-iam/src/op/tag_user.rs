//! Adds tags to a user, or changes them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagUser;
use haechi_iam_model::shapes::TagUserRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::UserRecord;

impl Handle<TagUser> for Iam {
    async fn handle(&self, cx: &Cx, input: TagUserRequest) -> Result<Unit, Error> {
        self.tag::<UserRecord>(cx, &input.user_name, &input.tags).await
    }
}
