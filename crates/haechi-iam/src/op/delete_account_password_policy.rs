//! Takes the account's password policy away: AWS's default counts again.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteAccountPasswordPolicy;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::AccountRecord;

impl Handle<DeleteAccountPasswordPolicy> for Iam {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<Unit, Error> {
        cx.authorize_any()?;
        let account = self.account_record(cx).await?;
        if account.value.password_policy.is_none() {
            let message = "The account policy with name PasswordPolicy cannot be found.";
            return Err(Error::NoSuchEntityException(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch.replace(
            &account,
            &AccountRecord { password_policy: None, has_v2_tokens: false, ..account.value.clone() },
        );
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
