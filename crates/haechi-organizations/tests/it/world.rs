//! What the tests share: Organizations, accounts in a set, keys that only decide, and short ways to
//! call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{AccountId, Ask, Caller, GuardrailSource, Handle, NoContext, Operation};
use haechi_organizations::{Accounts, Organizations};
use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_policy::{Document, Kind, ResourceRule};
use haechi_testkit::{Kit, told};
use haechi_wire::shape::Unit;
use haechi_wire::{Fault, Problem, SecretString};

/// The management account.
pub const MANAGEMENT: &str = "111111111111";
/// An account that no organization made.
pub const STRANGER: &str = "999999999999";

/// An IAM policy that allows everything.
pub const ADMIN: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A service control policy that forbids one action.
pub fn deny(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Deny","Action":"{action}","Resource":"*"}}]}}"#
    )
}

/// IAM's part: which accounts there are, and the roles made with them.
#[derive(Default)]
pub struct Directory {
    pub made: Mutex<Vec<(String, String, String)>>,
    known: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Accounts for Directory {
    async fn exists(&self, account: &AccountId) -> Result<bool, Fault> {
        Ok(self.known.lock().unwrap().contains(account.as_str()))
    }

    async fn create(
        &self,
        account: &AccountId,
        management: &AccountId,
        role_name: &str,
    ) -> Result<(), Fault> {
        self.known.lock().unwrap().insert(account.to_string());
        let made = (account.to_string(), management.to_string(), role_name.to_owned());
        self.made.lock().unwrap().push(made);
        Ok(())
    }
}

pub struct World {
    pub kit: Kit,
    pub organizations: Arc<Organizations>,
    pub directory: Arc<Directory>,
    /// An administrator of the management account.
    pub boss: Arc<Caller>,
    /// Keys and their policies.
    keys: Mutex<BTreeMap<String, Arc<Document>>>,
}

impl World {
    /// Accounts, and no organization.
    pub async fn bare() -> World {
        let kit = Kit::new().await;
        let directory = Arc::new(Directory::default());
        for account in [MANAGEMENT, STRANGER] {
            directory.known.lock().unwrap().insert(account.to_owned());
        }
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let accounts = Arc::clone(&directory) as Arc<dyn Accounts>;
        let organizations = Organizations::new(database, kit.env.clone(), jobs, accounts);
        let organizations = Arc::new(organizations);
        kit.guard(Arc::clone(&organizations) as _);
        let boss = kit.user(MANAGEMENT, "boss", &[ADMIN]);
        World { kit, organizations, directory, boss, keys: Mutex::default() }
    }

    /// An organization with all features.
    pub async fn new() -> World {
        let world = World::bare().await;
        let input = CreateOrganizationRequest { feature_set: Some(OrganizationFeatureSet::All) };
        world.boss::<ops::CreateOrganization>(input).await.unwrap();
        world
    }

    pub async fn call<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Organizations: Handle<Op>,
    {
        self.kit.call::<Op, _>(&*self.organizations, caller, input).await
    }

    /// Calls as the administrator of the management account.
    pub async fn boss<Op: Operation>(&self, input: Op::Input) -> Result<Op::Output, Problem>
    where
        Organizations: Handle<Op>,
    {
        self.call::<Op>(&self.boss, input).await
    }

    pub async fn root(&self) -> String {
        let roots = self.boss::<ops::ListRoots>(Default::default()).await.unwrap().roots.unwrap();
        roots[0].id.clone().unwrap()
    }

    pub async fn unit(&self, parent: &str, name: &str) -> String {
        let input = CreateOrganizationalUnitRequest {
            parent_id: parent.to_owned(),
            name: name.to_owned(),
            tags: None,
        };
        let made = self.boss::<ops::CreateOrganizationalUnit>(input).await.unwrap();
        made.organizational_unit.unwrap().id.unwrap()
    }

    pub async fn request_account(&self, name: &str) -> CreateAccountStatus {
        let input = CreateAccountRequest {
            email: SecretString(format!("{name}@example.com")),
            account_name: SecretString(name.to_owned()),
            ..Default::default()
        };
        let asked = self.boss::<ops::CreateAccount>(input).await.unwrap();
        asked.create_account_status.unwrap()
    }

    /// A member account below the root.
    pub async fn account(&self, name: &str) -> String {
        let status = self.request_account(name).await;
        self.kit.jobs.run_due().await.unwrap();
        let input =
            DescribeCreateAccountStatusRequest { create_account_request_id: status.id.unwrap() };
        let status = self.boss::<ops::DescribeCreateAccountStatus>(input).await.unwrap();
        status.create_account_status.unwrap().account_id.unwrap()
    }

    pub async fn move_account(&self, account: &str, from: &str, to: &str) {
        let input = MoveAccountRequest {
            account_id: account.to_owned(),
            source_parent_id: from.to_owned(),
            destination_parent_id: to.to_owned(),
        };
        self.boss::<ops::MoveAccount>(input).await.unwrap();
    }

    pub async fn enable(&self, kind: PolicyType) -> Result<Root, Problem> {
        let input = EnablePolicyTypeRequest { root_id: self.root().await, policy_type: kind };
        Ok(self.boss::<ops::EnablePolicyType>(input).await?.root.unwrap())
    }

    pub async fn policy_of(
        &self,
        kind: PolicyType,
        name: &str,
        content: &str,
    ) -> Result<String, Problem> {
        let input = CreatePolicyRequest {
            content: content.to_owned(),
            description: String::new(),
            name: name.to_owned(),
            r#type: kind,
            tags: None,
        };
        let made = self.boss::<ops::CreatePolicy>(input).await?.policy.unwrap();
        Ok(made.policy_summary.unwrap().id.unwrap())
    }

    /// A service control policy.
    pub async fn policy(&self, name: &str, content: &str) -> String {
        self.policy_of(PolicyType::ServiceControlPolicy, name, content).await.unwrap()
    }

    pub async fn attach(&self, policy: &str, target: &str) -> Result<Unit, Problem> {
        let (policy_id, target_id) = (policy.to_owned(), target.to_owned());
        self.boss::<ops::AttachPolicy>(AttachPolicyRequest { policy_id, target_id }).await
    }

    pub async fn detach(&self, policy: &str, target: &str) -> Result<Unit, Problem> {
        let (policy_id, target_id) = (policy.to_owned(), target.to_owned());
        self.boss::<ops::DetachPolicy>(DetachPolicyRequest { policy_id, target_id }).await
    }

    /// An administrator of an account.
    pub fn admin(&self, account: &str) -> Arc<Caller> {
        self.kit.user(account, "admin", &[ADMIN])
    }

    /// Decides as a service does for a key of its own: an action on a resource of an account.
    async fn decide(
        &self,
        caller: &Arc<Caller>,
        action: &str,
        resource: &str,
        policy: Option<(&str, &Arc<Document>)>,
    ) -> Result<(), Problem> {
        let cx = self.kit.cx::<ops::DescribeOrganization>(caller);
        cx.guard(self.organizations.guardrails().await?);
        let owner = policy.map_or(caller.account.as_str(), |(owner, _)| owner);
        cx.authorize(&Ask {
            action,
            resource,
            resource_account: owner,
            policy: policy.map(|(_, policy)| policy),
            rule: if policy.is_some() { ResourceRule::RootOfTrust } else { ResourceRule::Union },
            context: &NoContext,
        })?;
        Ok(())
    }

    /// Makes a key; answers its ARN.
    pub async fn key(&self, caller: &Arc<Caller>) -> Result<String, Problem> {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*",
                "Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Resource":"*"}}]}}"#,
            caller.account
        );
        self.key_under(caller, &policy).await
    }

    /// The same with a policy.
    pub async fn key_under(&self, caller: &Arc<Caller>, policy: &str) -> Result<String, Problem> {
        self.decide(caller, "kms:CreateKey", "*", None).await?;
        let mut keys = self.keys.lock().unwrap();
        let arn = format!("arn:aws:kms:us-east-1:{}:key/{}", caller.account, keys.len());
        let policy = Document::parse(policy, Kind::Resource).unwrap();
        keys.insert(arn.clone(), Arc::new(policy));
        Ok(arn)
    }

    pub async fn describe_key(&self, caller: &Arc<Caller>, key: &str) -> Result<(), Problem> {
        let policy = Arc::clone(&self.keys.lock().unwrap()[key]);
        let owner = key.split(':').nth(4).unwrap();
        self.decide(caller, "kms:DescribeKey", key, Some((owner, &policy))).await
    }
}

/// The code and message of a refusal.
pub fn refusal<T>(outcome: Result<T, Problem>) -> (&'static str, String) {
    match outcome {
        Ok(_) => panic!("it was done"),
        Err(problem) => told(&problem),
    }
}

/// The code of a refusal.
pub fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    refusal(outcome).0
}

/// The `Reason` of a refusal.
pub fn reason<T>(outcome: Result<T, Problem>) -> String {
    match outcome {
        Err(Problem::Modelled { members, .. }) => {
            let found = members.into_iter().find(|(name, _)| *name == "Reason");
            found.map(|(_, text)| text).unwrap_or_default()
        }
        Err(problem) => panic!("{problem:?}"),
        Ok(_) => panic!("it was done"),
    }
}
