//! Tells when a user's password was made, and whether the user must change it.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetLoginProfile;
use haechi_iam_model::shapes::{GetLoginProfileRequest, GetLoginProfileResponse};

use crate::Iam;
use crate::access_key::Owner;
use crate::password::login_not_found;

impl Handle<GetLoginProfile> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetLoginProfileRequest,
    ) -> Result<GetLoginProfileResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let Owner::User(user) = owner else { return Err(login_not_found("root")) };
        let login = self.login(cx.account(), &user.value).await?;
        Ok(GetLoginProfileResponse { login_profile: login.value.shown(&user.value.name) })
    }
}
