//! What the operator does at first start: accounts, and the first keys of their root users.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Identities};
use haechi_wire::{Fault, SecretString};

use crate::Iam;
use crate::access_key::{KEYS_MAX, Owner};
use crate::store::{AccountIndexRecord, AccountRecord, account_index, account_path};

impl Iam {
    /// Makes an account without keys; `false` if it is there already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn create_account(&self, account: &AccountId) -> Result<bool, Fault> {
        if self.account_exists(account).await? {
            return Ok(false);
        }
        let record = AccountRecord {
            account: account.to_string(),
            created_ms: self.env.now().millis(),
            root_access_key_ids: Vec::new(),
            alias: None,
            password_policy: None,
            has_v2_tokens: false,
            unknown: Unknown::new(),
        };
        let index = AccountIndexRecord { account: account.to_string(), unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.create(account_path(account), &record);
        batch.create(account_index().part(account.as_str()), &index);
        match self.database.commit(batch).await {
            Ok(()) => Ok(true),
            // Someone else made it meanwhile.
            Err(Fault::Conflict) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Makes an access key for the root user of an account: its id and its secret, which nothing
    /// shows again.
    ///
    /// # Errors
    /// If the account is unknown or its root user has two keys; or the store fails.
    pub async fn create_root_key(
        &self,
        account: &AccountId,
    ) -> Result<(String, SecretString), Fault> {
        let found = self.database.load::<AccountRecord>(&account_path(account)).await?;
        let owner = found.map(Owner::Root).ok_or_else(|| {
            Fault::Validation(format!("There is no account {account}. Create it first."))
        })?;
        if owner.key_ids().len() >= KEYS_MAX {
            return Err(Fault::Validation(format!(
                "The root user of account {account} has {KEYS_MAX} access keys already. Delete one first."
            )));
        }
        let mut batch = Batch::new();
        let key = owner.issue(&self.env, account, &mut batch)?;
        self.database.commit(batch).await?;
        Ok((key.id.clone(), key.secret.0.clone()))
    }

    /// An active access key of the account's root user, if there is one: what a first start that was
    /// cut off has made and could not write down.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn root_key(
        &self,
        account: &AccountId,
    ) -> Result<Option<(String, SecretString)>, Fault> {
        let found = self.database.load::<AccountRecord>(&account_path(account)).await?;
        for id in found.map(|found| found.value.root_access_key_ids).unwrap_or_default() {
            let credential = self.credential(&id, None).await?;
            if let Some(secret) = credential.and_then(|credential| credential.secret.clone()) {
                return Ok(Some((id, secret)));
            }
        }
        Ok(None)
    }

    /// Whether there is such an account.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn account_exists(&self, account: &AccountId) -> Result<bool, Fault> {
        Ok(self.database.load::<AccountRecord>(&account_path(account)).await?.is_some())
    }

    /// All accounts, in order.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, Fault> {
        let rows = self.database.list_all::<AccountIndexRecord>(&account_index()).await?;
        Ok(rows.iter().filter_map(|row| AccountId::parse(&row.value.account)).collect())
    }
}
