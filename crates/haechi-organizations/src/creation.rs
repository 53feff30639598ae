//! `CreateAccount` goes on after its answer: a job makes the account, and then the organization has
//! it and the request has succeeded, in one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Database, Job, JobHandler, Loaded, Path};
use haechi_organizations_model::shapes::{CreateAccountFailureReason, CreateAccountState};
use haechi_wire::{Fault, Timestamp};

use crate::accounts::{Accounts, account_of_email, join, write};
use crate::organization::Organization;
use crate::store::{
    AccountRecord, AnyRecord, CreationRecord, OrganizationRecord, Row, head_path, scope,
};

/// The kind of the job.
pub(crate) const CREATE_ACCOUNT: &str = "organizations-create-account";

/// The role of new accounts, unless another is named.
pub(crate) const ROLE_DEFAULT: &str = "OrganizationAccountAccessRole";

/// Makes accounts.
pub(crate) struct CreateAccounts {
    pub(crate) database: Arc<Database>,
    pub(crate) accounts: Arc<dyn Accounts>,
}

/// The job of a request.
pub(crate) fn job(organization: &Organization, creation: &CreationRecord) -> Job {
    let payload = format!("{}/{}", organization.management(), organization.id());
    let due = Timestamp::from_millis(creation.requested_ms);
    Job::new(CREATE_ACCOUNT, &creation.id, due, payload)
}

#[async_trait]
impl JobHandler for CreateAccounts {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let wrong = || Fault::internal(format!("a job without an organization: {}", job.id));
        let (management, organization) = job.payload.split_once('/').ok_or_else(wrong)?;
        let path = Row::Creation.prefix(management, organization).part(&job.id);
        let Some(creation) = self.database.load::<CreationRecord>(&path).await? else {
            return Ok(Batch::new());
        };
        let head = self.database.load::<OrganizationRecord>(&head_path(management)).await?;
        let Some(head) = head.filter(|head| head.value.id == organization) else {
            return Ok(ended(&creation, now, Some(CreateAccountFailureReason::InternalFailure)));
        };
        if account_of_email(&self.database, &creation.value.email).await?.is_some() {
            return Ok(ended(&creation, now, Some(CreateAccountFailureReason::EmailAlreadyExists)));
        }
        let id = |text: &str| AccountId::parse(text).ok_or_else(wrong);
        let (account, manager) = (id(&creation.value.account)?, id(management)?);
        self.accounts.create(&account, &manager, &creation.value.role_name).await?;
        let mut batch = ended(&creation, now, None);
        enter(&mut batch, head, &creation.value, now);
        Ok(batch)
    }

    /// Each writes the organization's row.
    fn at_a_time(&self) -> usize {
        1
    }
}

/// The request with its end.
fn ended(
    creation: &Loaded<CreationRecord>,
    now: Timestamp,
    failure: Option<CreateAccountFailureReason>,
) -> Batch {
    let state = match failure {
        Some(_) => CreateAccountState::Failed,
        None => CreateAccountState::Succeeded,
    };
    let record = CreationRecord {
        state: state.as_str().to_owned(),
        failure: failure.map(|reason| reason.as_str().to_owned()),
        completed_ms: Some(now.millis()),
        ..creation.value.clone()
    };
    let mut batch = Batch::new();
    batch.replace(creation, &record);
    batch
}

/// The new account's rows.
fn enter(
    batch: &mut Batch,
    head: Loaded<OrganizationRecord>,
    creation: &CreationRecord,
    now: Timestamp,
) {
    let account = AccountRecord {
        account: creation.account.clone(),
        name: creation.name.clone(),
        email: creation.email.clone(),
        organization: Some(head.value.management.clone()),
        created_ms: now.millis(),
        unknown: Unknown::new(),
    };
    // Only the head of the organization is needed to enter it.
    let organization = Organization {
        head,
        units: Default::default(),
        accounts: Default::default(),
        policies: Default::default(),
    };
    let mut change = organization.change();
    change.batch = std::mem::take(batch);
    write(&mut change.batch, None, &account);
    join(&mut change, &account, true, creation.tags.clone(), now);
    *batch = change.finish(now);
}

/// The kind of the job that removes what a deleted organization leaves.
pub(crate) const SWEEP: &str = "organizations-sweep";

/// Rows that one run removes, at most: well below what a transaction takes.
const SWEEP_MAX: u32 = 80;

/// Removes the rows of deleted organizations.
pub(crate) struct Sweep {
    pub(crate) database: Arc<Database>,
}

#[async_trait]
impl JobHandler for Sweep {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let rows: Path = scope(&job.payload).part(&job.id);
        let page = self.database.list::<AnyRecord>(&rows, None, SWEEP_MAX).await?;
        for row in &page.items {
            batch.remove(row);
        }
        if page.next.is_some() {
            // Another time, since this job's row goes with this batch.
            let due = Timestamp::from_millis(now.millis() + 1);
            batch.schedule(&Job::new(SWEEP, &job.id, due, job.payload.clone()));
        }
        Ok(batch)
    }
}
