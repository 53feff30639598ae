//! Lists the accounts right below a parent.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListAccountsForParent;
use haechi_organizations_model::shapes::{
    ListAccountsForParentRequest, ListAccountsForParentResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_parent;
use crate::paging::page;
use crate::store::MemberRecord;

impl Handle<ListAccountsForParent> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAccountsForParentRequest,
    ) -> Result<ListAccountsForParentResponse, Error> {
        let parent = input.parent_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[parent])).await?;
        organization.parent(parent).ok_or_else(no_parent)?;
        let members: Vec<_> = organization.accounts_of(parent).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (members, next_token) = page(members, |it| it.account.clone(), token, most)?;
        let shown = |members: Vec<&MemberRecord>| {
            members.into_iter().map(|member| organization.shown_account(member)).collect()
        };
        Ok(ListAccountsForParentResponse { accounts: members.map(shown), next_token })
    }
}
