//! Why a call was denied, out of the message that a service encoded.

use haechi_core::{Cx, Handle, authorization_message};
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
        input: DecodeAuthorizationMessageRequest,
    ) -> Result<DecodeAuthorizationMessageResponse, Error> {
        cx.authorize_any()?;
        let message = &input.encoded_message;
        match authorization_message::decode(&self.database, cx.account(), message) {
            Some(decoded) => {
                Ok(DecodeAuthorizationMessageResponse { decoded_message: Some(decoded) })
            }
            None => {
                Err(Error::InvalidAuthorizationMessageException("Message is not valid".to_owned()))
            }
        }
    }
}
