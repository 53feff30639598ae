//! Asks for an account. It is made after the answer; `DescribeCreateAccountStatus` tells when.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CreateAccount;
use haechi_organizations_model::shapes::{
    CreateAccountRequest, CreateAccountResponse, CreateAccountState,
};
use haechi_wire::Fault;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::change::random;
use crate::creation::{ROLE_DEFAULT, job};
use crate::error::constraint;
use crate::organization::Organization;
use crate::store::{CreationRecord, Row};
use crate::tags;

/// Accounts of an organization, at most. (AWS begins with 10 and raises it on request.)
const ACCOUNTS_MAX: usize = 5000;

/// Draws of an account id before there is something wrong with them.
const DRAWS: usize = 8;

impl Handle<CreateAccount> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateAccountRequest,
    ) -> Result<CreateAccountResponse, Error> {
        let tags = input.tags.as_deref().unwrap_or_default();
        let about = |_: &Organization| About::all().tags(tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let account = self.unused_account().await?;
        let made = About::arn(organization.account_arn(&account));
        organization.admit_tags(cx, &made.tags(tags))?;
        if organization.accounts.len() >= ACCOUNTS_MAX {
            let message = "You have exceeded the allowed number of AWS accounts.";
            return Err(constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", message));
        }
        let creation = CreationRecord {
            id: format!("car-{}", random(&self.env, 32)?),
            name: input.account_name.0.clone(),
            email: input.email.0.clone(),
            role_name: input.role_name.unwrap_or_else(|| ROLE_DEFAULT.to_owned()),
            tags: tags::new(input.tags.as_ref())?,
            account,
            state: CreateAccountState::InProgress.as_str().to_owned(),
            failure: None,
            requested_ms: cx.now().millis(),
            completed_ms: None,
            unknown: Unknown::new(),
        };
        let rows = Row::Creation.prefix(organization.management(), organization.id());
        let mut batch = Batch::new();
        batch.create(rows.part(&creation.id), &creation);
        batch.unchanged(&organization.head);
        batch.schedule(&job(&organization, &creation));
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(CreateAccountResponse { create_account_status: Some(creation.shown()) })
    }
}

impl Organizations {
    /// A random id that no account has.
    async fn unused_account(&self) -> Result<String, Fault> {
        for _ in 0..DRAWS {
            // AWS's never begin with nought.
            let first = self.env.characters(b"123456789", 1).map_err(Fault::internal)?;
            let digits = self.env.characters(b"0123456789", 11).map_err(Fault::internal)?;
            if let Some(account) = AccountId::parse(&(first + &digits))
                && !self.accounts.exists(&account).await?
            {
                return Ok(account.to_string());
            }
        }
        Err(Fault::internal("no unused account id was drawn"))
    }
}
