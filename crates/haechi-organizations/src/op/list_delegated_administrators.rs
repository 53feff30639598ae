//! Lists the accounts that administer a service, or any.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListDelegatedAdministrators;
use haechi_organizations_model::shapes::{
    DelegatedAdministrator, ListDelegatedAdministratorsRequest, ListDelegatedAdministratorsResponse,
};
use haechi_wire::Timestamp;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;
use crate::store::MemberRecord;

impl Handle<ListDelegatedAdministrators> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListDelegatedAdministratorsRequest,
    ) -> Result<ListDelegatedAdministratorsResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let service = input.service_principal.as_deref();
        let members = organization.accounts.values().map(|row| &row.value);
        let all: Vec<_> = members
            .filter(|member| match service {
                Some(service) => member.delegated.contains_key(service),
                None => !member.delegated.is_empty(),
            })
            .collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |member| member.account.clone(), token, most)?;
        let shown = |member: &MemberRecord| {
            let account = organization.shown_account(member);
            let since_ms = match service {
                Some(service) => member.delegated.get(service).copied(),
                None => member.delegated.values().min().copied(),
            };
            DelegatedAdministrator {
                id: account.id,
                arn: account.arn,
                email: account.email,
                name: account.name,
                status: account.status,
                state: account.state,
                joined_method: account.joined_method,
                joined_timestamp: account.joined_timestamp,
                delegation_enabled_date: since_ms.map(Timestamp::from_millis),
            }
        };
        let delegated_administrators = found.map(|all| all.into_iter().map(shown).collect());
        Ok(ListDelegatedAdministratorsResponse { delegated_administrators, next_token })
    }
}
