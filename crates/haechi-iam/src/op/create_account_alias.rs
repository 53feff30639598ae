//! Gives the account an alias, in place of the one that it has.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateAccountAlias;
use haechi_iam_model::shapes::CreateAccountAliasRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::{AliasRecord, alias_path};

/// Sign-in pages take an alias or an account's number in the same place.
fn check(alias: &str) -> Result<(), Error> {
    if AccountId::parse(alias).is_none() {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value '{alias}' at 'accountAlias' failed to satisfy constraint: \
         Member must not be an account ID of 12 digits"
    );
    Err(Fault::Validation(message).into())
}

impl Handle<CreateAccountAlias> for Iam {
    async fn handle(&self, cx: &Cx, input: CreateAccountAliasRequest) -> Result<Unit, Error> {
        let alias = input.account_alias;
        check(&alias)?;
        cx.authorize_any()?;
        let account = self.account_record(cx).await?;
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

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn an_alias_is_no_account_id() {
        for good in ["123456789012a", "12345678901", "1234567890123", "1234-5678-9012"] {
            assert!(check(good).is_ok(), "{good}");
        }
        assert!(check("123456789012").is_err());
    }
}
