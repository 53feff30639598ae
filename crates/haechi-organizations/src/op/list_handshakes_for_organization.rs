//! Lists the invitations that the organization sent.

use haechi_core::{AccountId, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListHandshakesForOrganization;
use haechi_organizations_model::shapes::{
    Handshake, ListHandshakesForOrganizationRequest, ListHandshakesForOrganizationResponse,
};
use haechi_wire::Fault;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;

impl Handle<ListHandshakesForOrganization> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListHandshakesForOrganizationRequest,
    ) -> Result<ListHandshakesForOrganizationResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let wrong = || Fault::internal("the management account is no account");
        let account = AccountId::parse(organization.management()).ok_or_else(wrong)?;
        let found = self.handshakes(&account, true, input.filter.as_ref(), cx.now()).await?;
        let id = |handshake: &Handshake| handshake.id.clone().unwrap_or_default();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (handshakes, next_token) = page(found, id, token, most)?;
        Ok(ListHandshakesForOrganizationResponse { handshakes, next_token })
    }
}
