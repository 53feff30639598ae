//! Shows a user, or the caller itself.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetUser;
use haechi_iam_model::shapes::{GetUserRequest, GetUserResponse, User};
use haechi_wire::Timestamp;

use crate::Iam;
use crate::access_key::Owner;
use crate::user;

impl Handle<GetUser> for Iam {
    async fn handle(&self, cx: &Cx, input: GetUserRequest) -> Result<GetUserResponse, Error> {
        let user = match self.owner(cx, input.user_name.as_deref()).await? {
            Owner::User(user) => user.value.shown(cx.account()),
            // The root user has no name and no path.
            Owner::Root(account) => User {
                user_id: cx.account().to_string(),
                arn: user::root_arn(cx.account()),
                create_date: Timestamp::from_millis(account.value.created_ms),
                ..User::default()
            },
        };
        Ok(GetUserResponse { user })
    }
}
