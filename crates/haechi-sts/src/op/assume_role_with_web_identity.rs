//! `AssumeRoleWithWebIdentity`.

use haechi_core::{Cx, Handle};
use haechi_sts_model::Error;
use haechi_sts_model::ops::AssumeRoleWithWebIdentity;
use haechi_sts_model::shapes::{
    AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse,
};

use crate::Sts;

impl Handle<AssumeRoleWithWebIdentity> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        _: AssumeRoleWithWebIdentityRequest,
    ) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
        Err(cx.unsupported().into())
    }
}
