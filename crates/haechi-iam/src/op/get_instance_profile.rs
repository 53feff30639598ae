//! Shows an instance profile with its role.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetInstanceProfile;
use haechi_iam_model::shapes::{GetInstanceProfileRequest, GetInstanceProfileResponse};

use crate::Iam;
use crate::authz::Conditions;

impl Handle<GetInstanceProfile> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetInstanceProfileRequest,
    ) -> Result<GetInstanceProfileResponse, Error> {
        let name = &input.instance_profile_name;
        let found = self.profile(cx, name, Conditions::default()).await?.value;
        let instance_profile = self.shown_profile(cx, &found, true).await?;
        Ok(GetInstanceProfileResponse { instance_profile })
    }
}
