//! What a principal may do, for the operator who asks why it may not (`haechi iam explain`): the
//! same policies that its calls are decided by. Nobody is authorised here; whoever can call this
//! holds the data directory.

use haechi_core::{AccountId, Caller, PrincipalPolicies};
use haechi_policy::Principal;
use haechi_wire::Fault;

use crate::entity::Entity;
use crate::identities::{boundary, entity_policies, user_caller};
use crate::store::{RoleRecord, UserRecord, role_path, user_path};
use crate::{Iam, PARTITION, root_caller};

/// The name of a session that nobody named.
const SESSION: &str = "explain";

impl Iam {
    /// The caller that calls with this ARN come from: of an account's root user, a user, a role, or
    /// a session of a role. `None` if there is none, or it is of another kind.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn caller_by_arn(&self, arn: &str) -> Result<Option<Caller>, Fault> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let mut part = || parts.next().unwrap_or_default();
        let (service, _, account, resource) = (part(), part(), part(), part());
        let Some(account) = AccountId::parse(account) else { return Ok(None) };
        let segments: Vec<&str> = resource.split('/').collect();
        match (service, segments.as_slice()) {
            ("iam", ["root"]) => Ok(Some(root_caller(&account, ""))),
            ("iam", ["user", .., name]) => {
                let caller = self.user_by_name(&account, name).await?;
                Ok(caller.filter(|caller| caller.arn() == arn))
            }
            ("iam", ["role", .., name]) => {
                let caller = self.role_by_name(&account, name, SESSION).await?;
                let is_asked = |caller: &Caller| matches!(&caller.principal, Principal::AssumedRole { role_arn, .. } if role_arn == arn);
                Ok(caller.filter(is_asked))
            }
            ("sts", ["assumed-role", name, session]) => {
                self.role_by_name(&account, name, session).await
            }
            _ => Ok(None),
        }
    }

    async fn user_by_name(&self, account: &AccountId, name: &str) -> Result<Option<Caller>, Fault> {
        let user = self.database.load::<UserRecord>(&user_path(account, name)).await?;
        match user {
            Some(user) => user_caller(&self.database, account, "", user.value).await.map(Some),
            None => Ok(None),
        }
    }

    async fn role_by_name(
        &self,
        account: &AccountId,
        name: &str,
        session_name: &str,
    ) -> Result<Option<Caller>, Fault> {
        let role = self.database.load::<RoleRecord>(&role_path(account, name)).await?;
        let Some(role) = role.map(|role| role.value) else { return Ok(None) };
        let identity = entity_policies(&self.database, account, &role).await?;
        let boundary = boundary(&self.database, account, &role).await?;
        let role_name = &role.name;
        let principal = Principal::AssumedRole {
            session_arn: format!(
                "arn:{PARTITION}:sts::{account}:assumed-role/{role_name}/{session_name}"
            ),
            role_arn: role.arn(account),
            role_unique_id: role.id.clone(),
            session_name: session_name.to_owned(),
            account: account.to_string(),
        };
        let mut caller = root_caller(account, "");
        caller.principal = principal;
        caller.user_id = format!("{}:{session_name}", role.id);
        caller.tags = role.tags;
        caller.policies = PrincipalPolicies { identity, boundary, session: None };
        Ok(Some(caller))
    }
}
