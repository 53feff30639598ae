//! From a session token to a caller.
//!
//! The token itself is opened without a store. What it names (a role, a user) is looked up as it
//! is now: policies count as they stand, and a session ends with its role. The result is kept like
//! that of any key until something of the account is written, and its time is compared on every
//! call.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AccountId, AssumableRole, Caller, Credential, PrincipalPolicies, Roles, SessionClaims,
    SessionHolder,
};
use haechi_policy::{Document, Kind, Principal};
use haechi_wire::{Fault, Timestamp};

use crate::entity::Entity;
use crate::identities::{boundary, entity_policies, user_caller};
use crate::store::{RoleRecord, UserRecord, account_scope, role_path, user_path};
use crate::{Iam, PARTITION, aws_managed, managed, root_caller};

/// How often a lookup starts anew because something was written in its midst.
const ATTEMPTS: usize = 4;

/// What the root user's federated sessions may do before their session policies narrow it.
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// A session that was looked up.
struct Known {
    access_key_id: String,
    expires_ms: i64,
    credential: Arc<Credential>,
}

impl Iam {
    pub(crate) async fn session_credential(
        &self,
        account: &AccountId,
        access_key_id: &str,
        token: &str,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        let build = self.known(account, access_key_id, token);
        let known = self.database.derived(&account_scope(account), token, build).await?;
        let known = known.filter(|known| known.access_key_id == access_key_id);
        let Some(known) = known else { return Ok(None) };
        if self.env.now().millis() < known.expires_ms {
            return Ok(Some(Arc::clone(&known.credential)));
        }
        let caller = Arc::clone(&known.credential.caller);
        let mut expired = Credential::new(None, root_caller(account, access_key_id));
        (expired.caller, expired.is_expired) = (caller, true);
        expired.secret.clone_from(&known.credential.secret);
        Ok(Some(Arc::new(expired)))
    }

    async fn known(
        &self,
        account: &AccountId,
        access_key_id: &str,
        token: &str,
    ) -> Result<Option<Known>, Fault> {
        let Some(claims) = SessionClaims::open(&self.database, access_key_id, token) else {
            return Ok(None);
        };
        for _ in 0..ATTEMPTS {
            let caller = match self.session_caller(account, access_key_id, &claims).await {
                Err(Fault::Conflict) => continue,
                outcome => outcome?,
            };
            return Ok(caller.map(|caller| Known {
                access_key_id: access_key_id.to_owned(),
                expires_ms: claims.expires_ms,
                credential: Arc::new(Credential::new(Some(claims.secret()), caller)),
            }));
        }
        Err(Fault::Conflict)
    }

    /// The caller behind a token; `None` if what it names is gone.
    async fn session_caller(
        &self,
        account: &AccountId,
        access_key_id: &str,
        claims: &SessionClaims,
    ) -> Result<Option<Caller>, Fault> {
        let caller = match &claims.holder {
            SessionHolder::Root => Some(root_caller(account, access_key_id)),
            SessionHolder::User { name, id } => {
                self.user_behind(account, access_key_id, name, id).await?
            }
            SessionHolder::Role { name, id, session_name } => {
                self.role_session(account, access_key_id, name, id, session_name).await?
            }
            SessionHolder::Federated { name, user } => {
                self.federated_session(account, access_key_id, name, user.as_ref()).await?
            }
        };
        let Some(mut caller) = caller else { return Ok(None) };
        caller.policies.session = self.session_policies(account, claims).await?;
        for (key, value) in &claims.tags {
            let folded = key.to_lowercase();
            caller.tags.retain(|(own, _)| own.to_lowercase() != folded);
            caller.tags.push((key.clone(), value.clone()));
        }
        caller.issued = Some(Timestamp::from_millis(claims.issued_ms));
        caller.session = Some(claims.session());
        Ok(Some(caller))
    }

    async fn user_behind(
        &self,
        account: &AccountId,
        access_key_id: &str,
        name: &str,
        id: &str,
    ) -> Result<Option<Caller>, Fault> {
        let user = self.database.load::<UserRecord>(&user_path(account, name)).await?;
        match user.map(|user| user.value).filter(|user| user.id == id) {
            Some(user) => user_caller(&self.database, account, access_key_id, user).await.map(Some),
            None => Ok(None),
        }
    }

    async fn role_session(
        &self,
        account: &AccountId,
        access_key_id: &str,
        name: &str,
        id: &str,
        session_name: &str,
    ) -> Result<Option<Caller>, Fault> {
        let role = self.database.load::<RoleRecord>(&role_path(account, name)).await?;
        let Some(role) = role.map(|role| role.value).filter(|role| role.id == id) else {
            return Ok(None);
        };
        let identity = entity_policies(&self.database, account, &role).await?;
        let boundary = boundary(&self.database, account, &role).await?;
        let session_arn =
            format!("arn:{PARTITION}:sts::{account}:assumed-role/{}/{session_name}", role.name);
        let principal = Principal::AssumedRole {
            session_arn,
            role_arn: role.arn(account),
            role_unique_id: role.id.clone(),
            session_name: session_name.to_owned(),
            account: account.to_string(),
        };
        Ok(Some(Caller {
            principal,
            account: account.clone(),
            access_key_id: access_key_id.to_owned(),
            user_id: format!("{}:{session_name}", role.id),
            user_name: None,
            tags: role.tags,
            policies: PrincipalPolicies { identity, boundary, session: None },
            issued: None,
            session: None,
        }))
    }

    async fn federated_session(
        &self,
        account: &AccountId,
        access_key_id: &str,
        name: &str,
        user: Option<&(String, String)>,
    ) -> Result<Option<Caller>, Fault> {
        let maker = match user {
            Some((user, id)) => self.user_behind(account, access_key_id, user, id).await?,
            None => Some(root_caller(account, access_key_id)),
        };
        let Some(mut caller) = maker else { return Ok(None) };
        if user.is_none()
            && let Some(everything) = aws_managed::find(EVERYTHING)
        {
            caller.policies.identity.push(everything.compiled()?);
        }
        caller.principal = Principal::FederatedUser {
            session_arn: format!("arn:{PARTITION}:sts::{account}:federated-user/{name}"),
            user_arn: user.map(|_| caller.arn().to_owned()),
            user_unique_id: user.map(|(_, id)| id.clone()),
            account: account.to_string(),
        };
        caller.user_id = format!("{account}:{name}");
        (caller.user_name, caller.tags) = (None, Vec::new());
        Ok(Some(caller))
    }

    /// The session policies, if the session has any. One whose managed policy is gone allows
    /// nothing by it.
    async fn session_policies(
        &self,
        account: &AccountId,
        claims: &SessionClaims,
    ) -> Result<Option<Vec<Arc<Document>>>, Fault> {
        if claims.policies.is_empty() && claims.policy_arns.is_empty() {
            return Ok(None);
        }
        let mut policies = Vec::with_capacity(claims.policies.len() + claims.policy_arns.len());
        for text in &claims.policies {
            let document = Document::parse(text, Kind::Session).map_err(Fault::internal)?;
            policies.push(Arc::new(document.named("session policy")));
        }
        for arn in &claims.policy_arns {
            policies.extend(managed::compiled(&self.database, account, arn).await?);
        }
        Ok(Some(policies))
    }
}

#[async_trait]
impl Roles for Iam {
    async fn role(&self, arn: &str) -> Result<Option<AssumableRole>, Fault> {
        let Some((account, role)) = self.role_by_arn(arn).await? else { return Ok(None) };
        Ok(Some(AssumableRole {
            arn: role.arn(&account),
            trust: role.trust_document()?,
            account,
            name: role.name,
            id: role.id,
            tags: role.tags,
            session_seconds_max: role.session_seconds_max,
        }))
    }

    async fn has_policy(&self, account: &AccountId, arn: &str) -> Result<bool, Fault> {
        Ok(managed::compiled(&self.database, account, arn).await?.is_some())
    }
}
