//! Answers all users, groups, roles and policies of the account with how they hang together.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetAccountAuthorizationDetails;
use haechi_iam_model::shapes::{
    GetAccountAuthorizationDetailsRequest, GetAccountAuthorizationDetailsResponse,
};
use haechi_wire::Fault;

use crate::Iam;
use crate::authorization_details::Detail;
use crate::listing::{page, place};
use crate::store::account_scope;

impl Handle<GetAccountAuthorizationDetails> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetAccountAuthorizationDetailsRequest,
    ) -> Result<GetAccountAuthorizationDetailsResponse, Error> {
        cx.authorize_any()?;
        let account = cx.account();
        let build = async { self.details(account).await.map(Some) };
        let all = self.database.derived(&account_scope(account), "details", build).await?;
        let filter = input.filter.unwrap_or_default();
        let is_wanted = |one: &&Detail| filter.is_empty() || filter.contains(&one.kind());
        let wanted = all.iter().flat_map(|all| all.iter()).filter(is_wanted);
        // A marker counts with the filter that it was given for.
        let mut kinds: Vec<&str> = filter.iter().map(|kind| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let under = format!("{}: ", kinds.join(","));
        let marker = input.marker.as_deref();
        if marker.is_some_and(|marker| !place(marker).is_some_and(|at| at.starts_with(&under))) {
            return Err(Fault::Validation("Marker and Filter do not match".to_owned()).into());
        }
        let order = |one: &&Detail| format!("{under}{}", one.order());
        let found = page(wanted, order, marker, input.max_items)?;
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        let (mut roles, mut policies) = (Vec::new(), Vec::new());
        for one in found.items.into_iter().cloned() {
            match one {
                Detail::User(user) => users.push(*user),
                Detail::Group(group) => groups.push(*group),
                Detail::Role(mut role) => {
                    // Uses change without anything in the account changing.
                    let id = role.role_id.as_deref().unwrap_or_default();
                    role.role_last_used = Some(self.role_last_used(account, id).await?);
                    roles.push(*role);
                }
                Detail::Policy(policy, _) => policies.push(*policy),
            }
        }
        Ok(GetAccountAuthorizationDetailsResponse {
            user_detail_list: Some(users),
            group_detail_list: Some(groups),
            role_detail_list: Some(roles),
            policies: Some(policies),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
