//! The account of an access key, whether the key is active, inactive or gone.

use haechi_core::{Cx, Handle, access_key_id};
use haechi_sts_model::Error;
use haechi_sts_model::ops::GetAccessKeyInfo;
use haechi_sts_model::shapes::{GetAccessKeyInfoRequest, GetAccessKeyInfoResponse};
use haechi_wire::Fault;

use crate::Sts;

impl Handle<GetAccessKeyInfo> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetAccessKeyInfoRequest,
    ) -> Result<GetAccessKeyInfoResponse, Error> {
        cx.authorize_any()?;
        let account = access_key_id::account(&input.access_key_id).ok_or_else(|| {
            Fault::Validation("The access key ID provided is not valid.".to_owned())
        })?;
        Ok(GetAccessKeyInfoResponse { account: Some(account.to_string()) })
    }
}
