//! Which tokens the global endpoint of STS answers: there is one kind of tokens here, which counts in
//! all Regions; the wish is kept, and told by `GetAccountSummary`.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SetSecurityTokenServicePreferences;
use haechi_iam_model::shapes::{
    GlobalEndpointTokenVersion, SetSecurityTokenServicePreferencesRequest,
};
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::store::AccountRecord;

impl Handle<SetSecurityTokenServicePreferences> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: SetSecurityTokenServicePreferencesRequest,
    ) -> Result<Unit, Error> {
        authorize(cx, "*", &Conditions::default())?;
        let account = self.account_record(cx).await?;
        let has_v2_tokens =
            input.global_endpoint_token_version == GlobalEndpointTokenVersion::V2Token;
        let changed = AccountRecord { has_v2_tokens, ..account.value.clone() };
        let mut batch = Batch::new();
        batch.replace(&account, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
