//! From an account to its organization, and from all organizations to the guardrails of every call.
//!
//! Three things are kept in memory, each correct by epochs (`haechi_core::cache`): which organization
//! an account is in (also that it is in none), an organization as a whole, and the guardrails of all
//! accounts. So a call reads no store unless something has changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::guardrails::{Levels, Membership};
use haechi_core::{Database, GuardrailSource, Guardrails, Loaded, Record};
use haechi_policy::{Document, Kind};
use haechi_wire::Fault;

use crate::Organizations;
use crate::organization::{Organization, Rows};
use crate::policy::{RESOURCE_CONTROL, SERVICE_CONTROL};
use crate::store::{
    AccountRecord, MemberRecord, OrganizationRecord, Row, account_path, accounts_path, head_path,
    revision_path, scope,
};

/// How often a read starts anew because the organization was changed in its midst.
const ATTEMPTS: usize = 8;

/// The management account of an account's organization.
struct Place(Option<String>);

impl Organizations {
    /// The organization that an account is in.
    pub(crate) async fn organization_of(
        &self,
        account: &str,
    ) -> Result<Option<Arc<Organization>>, Fault> {
        let path = account_path(account);
        let build = async {
            let found = self.database.load::<AccountRecord>(&path).await?;
            Ok(Some(Place(found.and_then(|row| row.value.organization))))
        };
        let place = self.database.derived(&path, "place", build).await?;
        match place.as_deref() {
            Some(Place(Some(management))) => self.managed_by(management).await,
            _ => Ok(None),
        }
    }

    /// The organization that an account manages.
    pub(crate) async fn managed_by(
        &self,
        management: &str,
    ) -> Result<Option<Arc<Organization>>, Fault> {
        let build = read(&self.database, management);
        self.database.derived(&scope(management), "organization", build).await
    }
}

/// Reads an organization from the store; all of it as it was at one time.
async fn read(database: &Database, management: &str) -> Result<Option<Organization>, Fault> {
    let path = head_path(management);
    for _ in 0..ATTEMPTS {
        let Some(head) = database.load::<OrganizationRecord>(&path).await? else {
            return Ok(None);
        };
        let id = head.value.id.clone();
        let units = database.list_all(&Row::Unit.prefix(management, &id)).await?;
        let accounts = database.list_all(&Row::Account.prefix(management, &id)).await?;
        let policies = database.list_all(&Row::Policy.prefix(management, &id)).await?;
        let after = database.load::<OrganizationRecord>(&path).await?;
        let unchanged = after.is_some_and(|after| {
            after.value.id == id && after.value.revision == head.value.revision
        });
        if unchanged {
            return Ok(Some(Organization {
                head,
                units: by_id(units, |unit: &crate::store::UnitRecord| unit.id.clone()),
                accounts: by_id(accounts, |member: &MemberRecord| member.account.clone()),
                policies: by_id(policies, |policy: &crate::store::PolicyRecord| policy.id.clone()),
            }));
        }
    }
    Err(Fault::Conflict)
}

fn by_id<T: Record>(rows: Vec<Loaded<T>>, id: impl Fn(&T) -> String) -> Rows<T> {
    rows.into_iter().map(|row| (id(&row.value), row)).collect()
}

#[async_trait]
impl GuardrailSource for Organizations {
    async fn guardrails(&self) -> Result<Arc<Guardrails>, Fault> {
        let build = async { Ok(Some(Guardrails::new(Box::pin(all(&self.database)).await?))) };
        let built = self.database.derived(&revision_path(), "guardrails", build).await?;
        Ok(built.unwrap_or_default())
    }
}

/// The memberships of all accounts of all organizations, read anew.
async fn all(database: &Database) -> Result<HashMap<String, Membership>, Fault> {
    let mut memberships = HashMap::new();
    let accounts = database.list_all::<AccountRecord>(&accounts_path()).await?;
    for account in accounts.iter().map(|row| &row.value) {
        if account.organization.as_deref() != Some(account.account.as_str()) {
            continue;
        }
        if let Some(organization) = read(database, &account.account).await? {
            memberships.extend(members(&organization)?);
        }
    }
    Ok(memberships)
}

/// The memberships of one organization's accounts.
fn members(organization: &Organization) -> Result<Vec<(String, Membership)>, Fault> {
    let mut compiled = Compiled { organization, documents: BTreeMap::new() };
    let mut memberships = Vec::new();
    let trusted_services: Arc<[String]> = organization.record().services.keys().cloned().collect();
    for member in organization.accounts.values().map(|row| &row.value) {
        let id = member.account.as_str();
        let parent = organization.path(&member.parent);
        let mut membership = Membership {
            organization_id: organization.id().to_owned(),
            management_account: organization.management().to_owned(),
            all_features: organization.record().all_features,
            trusted_services: Arc::clone(&trusted_services),
            path: parent,
            ..Membership::default()
        };
        if id != organization.management() {
            membership.service_control =
                compiled.levels(id, SERVICE_CONTROL, Kind::ServiceControl)?;
            membership.resource_control =
                compiled.levels(id, RESOURCE_CONTROL, Kind::ResourceControl)?;
            if member.closed_ms.is_some() {
                // A level that allows nothing: a closed account can do nothing.
                membership.service_control.push(Vec::new());
            }
        }
        memberships.push((id.to_owned(), membership));
    }
    Ok(memberships)
}

/// Policies of an organization, each compiled once.
struct Compiled<'a> {
    organization: &'a Organization,
    documents: BTreeMap<String, Arc<Document>>,
}

impl Compiled<'_> {
    /// The policies of a type level by level, where the type is enabled.
    fn levels(&mut self, account: &str, name: &str, kind: Kind) -> Result<Levels, Fault> {
        let organization = self.organization;
        if !organization.record().policy_types.contains_key(name) {
            return Ok(Vec::new());
        }
        let line = organization.line(account);
        let level = |target| {
            let attached = organization.attached(target, name);
            attached.into_iter().map(|id| self.document(id, kind)).collect()
        };
        line.into_iter().map(level).collect()
    }

    fn document(&mut self, id: &str, kind: Kind) -> Result<Arc<Document>, Fault> {
        if let Some(document) = self.documents.get(id) {
            return Ok(Arc::clone(document));
        }
        let gone = || Fault::internal(format!("policy {id} is attached and is not there"));
        let policy = self.organization.policy(id).ok_or_else(gone)?;
        let arn = self.organization.policy_arn(id);
        let document = Document::parse(&policy.content, kind).map_err(Fault::internal)?.named(arn);
        let document = Arc::new(document);
        self.documents.insert(id.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}
