//! Lists the accounts of the organization.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListAccounts;
use haechi_organizations_model::shapes::{ListAccountsRequest, ListAccountsResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;
use crate::store::MemberRecord;

impl Handle<ListAccounts> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAccountsRequest,
    ) -> Result<ListAccountsResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let members: Vec<_> = organization.accounts.values().map(|row| &row.value).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (members, next_token) = page(members, |it| it.account.clone(), token, most)?;
        let shown = |members: Vec<&MemberRecord>| {
            members.into_iter().map(|member| organization.shown_account(member)).collect()
        };
        Ok(ListAccountsResponse { accounts: members.map(shown), next_token })
    }
}
