//! Takes the alias from the account.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteAccountAlias;
use haechi_iam_model::shapes::DeleteAccountAliasRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::alias_path;

impl Handle<DeleteAccountAlias> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteAccountAliasRequest) -> Result<Unit, Error> {
        cx.authorize_any()?;
        let (account, alias) = (self.account_record(cx).await?, input.account_alias);
        if account.value.alias.as_ref() != Some(&alias) {
            let message = format!("The account alias {alias} cannot be found.");
            return Err(Error::NoSuchEntityException(message));
        }
        let mut changed = account.value.clone();
        changed.alias = None;
        let mut batch = Batch::new();
        batch.replace(&account, &changed);
        batch.delete(alias_path(&alias));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
