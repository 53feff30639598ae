//! Accounts beyond their organization: their names and e-mail addresses, and how one joins and
//! leaves.

use std::collections::BTreeMap;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Database, Loaded};
use haechi_organizations_model::Error;
use haechi_wire::{Fault, Timestamp};

use crate::Organizations;
use crate::change::Change;
use crate::error::{constraint, master_stays, no_account};
use crate::organization::Organization;
use crate::store::{AccountRecord, Hung, MemberRecord, Row, Tags, account_path, accounts_path};

/// Makes accounts and knows which there are; the binary implements it over IAM.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Whether there is such an account.
    ///
    /// # Errors
    /// If the store fails.
    async fn exists(&self, account: &AccountId) -> Result<bool, Fault>;

    /// Makes an account with a role of this name that the management account may assume and that
    /// may do everything. What is there already stays: it may be run again after it was cut off.
    ///
    /// # Errors
    /// If the store fails.
    async fn create(
        &self,
        account: &AccountId,
        management: &AccountId,
        role_name: &str,
    ) -> Result<(), Fault>;
}

/// An account as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its id.
    pub account: String,
    /// Its name; empty if nobody gave it one.
    pub name: String,
    /// Its e-mail address; empty likewise.
    pub email: String,
    /// The management account of its organization.
    pub organization: Option<String>,
}

impl Organizations {
    /// Gives an account a name and an e-mail address: what an organization shows of it.
    ///
    /// # Errors
    /// [`Fault::Validation`] if another account has the address; or the store fails.
    pub async fn name_account(
        &self,
        account: &AccountId,
        name: &str,
        email: &str,
    ) -> Result<(), Fault> {
        let owner = account_of_email(&self.database, email).await?;
        if let Some(other) = owner.filter(|owner| owner != account.as_str()) {
            return Err(Fault::Validation(format!(
                "The e-mail address {email} belongs to account {other}. Name another."
            )));
        }
        let (found, record) = self.contact(account.as_str(), self.env.now()).await?;
        let record = AccountRecord { name: name.to_owned(), email: email.to_owned(), ..record };
        let mut batch = Batch::new();
        write(&mut batch, found.as_ref(), &record);
        self.database.commit(batch).await
    }

    /// What is known of accounts; those without a name and outside any organization are left out.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn summaries(&self) -> Result<Vec<AccountSummary>, Fault> {
        let rows = self.database.list_all::<AccountRecord>(&accounts_path()).await?;
        let summary = |row: Loaded<AccountRecord>| {
            let AccountRecord { account, name, email, organization, .. } = row.value;
            AccountSummary { account, name, email, organization }
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// An account's row, if it has one, and what it holds or would hold.
    pub(crate) async fn contact(
        &self,
        account: &str,
        now: Timestamp,
    ) -> Result<(Option<Loaded<AccountRecord>>, AccountRecord), Fault> {
        let found = self.database.load::<AccountRecord>(&account_path(account)).await?;
        let record = found.as_ref().map(|found| found.value.clone());
        let fresh = || AccountRecord {
            account: account.to_owned(),
            // The operator may never have named it; an organization must show something.
            name: account.to_owned(),
            email: format!("root@{account}.invalid"),
            organization: None,
            created_ms: now.millis(),
            unknown: Unknown::new(),
        };
        Ok((found, record.unwrap_or_else(fresh)))
    }

    /// Takes an account out of its organization.
    pub(crate) async fn part(
        &self,
        cx: &Cx,
        organization: &Organization,
        account: &str,
    ) -> Result<(), Error> {
        let Some(row) = organization.accounts.get(account) else { return Err(no_account()) };
        if account == organization.management() {
            return Err(master_stays());
        }
        if !row.value.delegated.is_empty() {
            let message = "You can't remove an account that is a delegated administrator from the \
                organization. First, deregister it.";
            let reason = "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG";
            return Err(constraint(reason, message));
        }
        let (found, record) = self.contact(account, cx.now()).await?;
        let mut change = organization.change();
        change.batch.remove(row);
        let record = AccountRecord { organization: None, ..record };
        write(&mut change.batch, found.as_ref(), &record);
        Ok(self.save(cx, change).await?)
    }
}

/// Writes an account's row over the one that was read.
pub(crate) fn write(
    batch: &mut Batch,
    found: Option<&Loaded<AccountRecord>>,
    record: &AccountRecord,
) {
    match found {
        Some(found) => batch.replace(found, record),
        None => batch.create(account_path(&record.account), record),
    }
}

/// A new row of an account in an organization, right below its root.
pub(crate) fn join(
    change: &mut Change<'_>,
    account: &AccountRecord,
    created: bool,
    tags: Tags,
    now: Timestamp,
) {
    let member = MemberRecord {
        account: account.account.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        parent: change.head.root_id.clone(),
        created,
        joined_ms: now.millis(),
        closed_ms: None,
        delegated: BTreeMap::new(),
        hung: Hung { tags, ..Hung::default() },
        unknown: Unknown::new(),
    };
    let rows = Row::Account.prefix(&change.head.management, &change.head.id);
    change.batch.create(rows.part(&member.account), &member);
}

/// The account that has an e-mail address; case does not matter.
pub(crate) async fn account_of_email(
    database: &Database,
    email: &str,
) -> Result<Option<String>, Fault> {
    let rows = database.list_all::<AccountRecord>(&accounts_path()).await?;
    let mut rows = rows.into_iter().map(|row| row.value);
    let found = rows.find(|row| row.email.to_lowercase() == email.to_lowercase());
    Ok(found.map(|row| row.account))
}
