//! Accounts: made, listed, entered.

use haechi_core::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Failure;
use crate::data::RootAccessKey;
use crate::installation::Installation;
use crate::operator::{Ask, Told};

/// Makes an account that is in no organization; the answer is its id.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountCreate {
    /// Its name.
    pub name: String,
    /// Its address, which no other account has.
    pub email: String,
}

impl Ask for AccountCreate {
    const NAME: &'static str = "account.create";
    type Answer = String;

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({ "name": self.name, "email": self.email })))
    }

    async fn answer(self, installation: &Installation) -> Result<String, Failure> {
        let Installation { stack, env, .. } = installation;
        let account = crate::stack::random_account(env)?;
        // First, since it refuses an address that is taken; without the account itself it means
        // little.
        stack.organizations.name_account(&account, &self.name, &self.email).await?;
        stack.iam.create_account(&account).await?;
        Ok(account.to_string())
    }
}

/// Gives a root access key of an account.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountKey {
    /// 12 digits.
    pub account: String,
}

/// An access key on its way to whoever asked.
#[derive(Serialize, Deserialize)]
pub struct AccessKey {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
}

impl From<AccessKey> for RootAccessKey {
    fn from(key: AccessKey) -> Self {
        let AccessKey { access_key_id, secret_access_key } = key;
        RootAccessKey { access_key_id, secret_access_key }
    }
}

impl Ask for AccountKey {
    const NAME: &'static str = "account.key";
    type Answer = AccessKey;

    fn told(&self) -> Option<Told> {
        let account = Some(self.account.clone());
        Some(Told { account, parameters: json!({ "account": self.account }) })
    }

    async fn answer(self, installation: &Installation) -> Result<AccessKey, Failure> {
        let account = AccountId::parse(&self.account)
            .ok_or_else(|| format!("{} is no account: an account has 12 digits", self.account))?;
        let key = installation.stack.root_access_key(&account).await?;
        let RootAccessKey { access_key_id, secret_access_key } = key;
        Ok(AccessKey { access_key_id, secret_access_key })
    }
}

/// Lists accounts.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountList {}

/// An account in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountLine {
    /// 12 digits.
    pub account: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its address, where it has one.
    pub email: Option<String>,
    /// The management account of its organization, where it is in one.
    pub managed_by: Option<String>,
}

impl Ask for AccountList {
    const NAME: &'static str = "account.list";
    type Answer = Vec<AccountLine>;

    async fn answer(self, installation: &Installation) -> Result<Vec<AccountLine>, Failure> {
        let stack = &installation.stack;
        let known = stack.organizations.summaries().await?;
        let accounts = stack.iam.accounts().await?.into_iter().map(|account| {
            let summary = known.iter().find(|summary| summary.account == account.as_str());
            AccountLine {
                account: account.to_string(),
                name: summary.map(|summary| summary.name.clone()),
                email: summary.map(|summary| summary.email.clone()),
                managed_by: summary.and_then(|summary| summary.organization.clone()),
            }
        });
        Ok(accounts.collect())
    }
}
