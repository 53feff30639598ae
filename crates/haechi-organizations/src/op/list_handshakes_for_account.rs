//! Lists the invitations that the caller's account was sent.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListHandshakesForAccount;
use haechi_organizations_model::shapes::{
    Handshake, ListHandshakesForAccountRequest, ListHandshakesForAccountResponse,
};

use crate::Organizations;
use crate::paging::page;

impl Handle<ListHandshakesForAccount> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListHandshakesForAccountRequest,
    ) -> Result<ListHandshakesForAccountResponse, Error> {
        cx.authorize_any()?;
        let found = self.handshakes(cx.account(), false, input.filter.as_ref(), cx.now()).await?;
        let id = |handshake: &Handshake| handshake.id.clone().unwrap_or_default();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (handshakes, next_token) = page(found, id, token, most)?;
        Ok(ListHandshakesForAccountResponse { handshakes, next_token })
    }
}
