//! `DecodeAuthorizationMessage`.

use haechi_core::{Cx, Handle};
use haechi_sts_model::Error;
use haechi_sts_model::ops::DecodeAuthorizationMessage;
use haechi_sts_model::shapes::{
    DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse,
};

use crate::Sts;

impl Handle<DecodeAuthorizationMessage> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        _: DecodeAuthorizationMessageRequest,
    ) -> Result<DecodeAuthorizationMessageResponse, Error> {
        Err(cx.unsupported().into())
    }
}
