//! Gives the account an alias, in place of the one that it has.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateAccountAlias;
use haechi_iam_model::shapes::CreateAccountAliasRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::{AliasRecord, alias_path};

impl Handle<CreateAccountAlias> for Iam {
    async fn handle(&self, cx: &Cx, input: CreateAccountAliasRequest) -> Result<Unit, Error> {
        cx.authorize_any()?;
        let account = self.account_record(cx).await?;
        let alias = input.account_alias;
        if account.value.alias.as_ref() == Some(&alias) {
            return Ok(Unit);
        }
        if self.database.load::<AliasRecord>(&alias_path(&alias)).await?.is_some() {
            let message = format!("The account alias {alias} already exists.");
            return Err(Error::EntityAlreadyExistsException(message));
        }
        let mut batch = Batch::new();
        if let Some(old) = &account.value.alias {
            batch.delete(alias_path(old));
        }
        let record = AliasRecord { account: cx.account().to_string(), unknown: Unknown::new() };
        batch.create(alias_path(&alias), &record);
        let mut changed = account.value.clone();
        changed.alias = Some(alias);
        batch.replace(&account, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
