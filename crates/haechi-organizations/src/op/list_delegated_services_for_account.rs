//! Lists the services that an account administers.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListDelegatedServicesForAccount;
use haechi_organizations_model::shapes::{
    DelegatedService, ListDelegatedServicesForAccountRequest,
    ListDelegatedServicesForAccountResponse,
};
use haechi_wire::Timestamp;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{no_account, not_registered};
use crate::paging::page;

impl Handle<ListDelegatedServicesForAccount> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListDelegatedServicesForAccountRequest,
    ) -> Result<ListDelegatedServicesForAccountResponse, Error> {
        let id = input.account_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let member = organization.account(id).ok_or_else(no_account)?;
        if member.delegated.is_empty() {
            return Err(not_registered());
        }
        let all: Vec<_> = member.delegated.iter().collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |(name, _)| (*name).clone(), token, most)?;
        let shown = |(name, since_ms): (&String, &i64)| DelegatedService {
            service_principal: Some(name.clone()),
            delegation_enabled_date: Some(Timestamp::from_millis(*since_ms)),
        };
        let delegated_services = found.map(|all| all.into_iter().map(shown).collect());
        Ok(ListDelegatedServicesForAccountResponse { delegated_services, next_token })
    }
}
