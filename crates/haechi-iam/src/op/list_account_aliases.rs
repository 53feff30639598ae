//! Shows the alias of the account, if it has one.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListAccountAliases;
use haechi_iam_model::shapes::{ListAccountAliasesRequest, ListAccountAliasesResponse};

use crate::Iam;

impl Handle<ListAccountAliases> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        _: ListAccountAliasesRequest,
    ) -> Result<ListAccountAliasesResponse, Error> {
        cx.authorize_any()?;
        let account = self.account_record(cx).await?.value;
        Ok(ListAccountAliasesResponse {
            account_aliases: account.alias.into_iter().collect(),
            is_truncated: Some(false),
            marker: None,
        })
    }
}
