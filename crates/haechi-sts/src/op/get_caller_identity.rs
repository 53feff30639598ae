//! Who calls. Needs no permission, and no policy can deny it (`GetCallerIdentity`, API reference),
//! since a refused call tells the caller the same in its message.

use haechi_core::{Cx, Handle};
use haechi_sts_model::Error;
use haechi_sts_model::ops::GetCallerIdentity;
use haechi_sts_model::shapes::{GetCallerIdentityRequest, GetCallerIdentityResponse};

use crate::Sts;

impl Handle<GetCallerIdentity> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        _: GetCallerIdentityRequest,
    ) -> Result<GetCallerIdentityResponse, Error> {
        Ok(GetCallerIdentityResponse {
            user_id: Some(cx.caller.user_id.clone()),
            account: Some(cx.account().to_string()),
            arn: Some(cx.caller.arn().to_owned()),
        })
    }
}
