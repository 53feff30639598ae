//! Tells how much there is of everything in the account, and how much there may be.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetAccountSummary;
use haechi_iam_model::shapes::GetAccountSummaryResponse;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::account_scope;

impl Handle<GetAccountSummary> for Iam {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<GetAccountSummaryResponse, Error> {
        cx.authorize_any()?;
        let (account, owner) = (cx.account(), self.account_record(cx).await?.value);
        let build = async { self.summary(account, &owner).await.map(Some) };
        let map = self.database.derived(&account_scope(account), "summary", build).await?;
        Ok(GetAccountSummaryResponse { summary_map: map.map(|map| (*map).clone()) })
    }
}
