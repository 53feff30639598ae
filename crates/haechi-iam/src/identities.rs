//! From an access key id to a caller, on every request.
//!
//! A key's id names its account, and the caller with its policies, compiled, is kept until
//! anything of the account is written: its keys, users, policies, tags. So one look into memory
//! answers, correct by epochs (`haechi_core::cache`): the answer to a write leaves only after what
//! it made stale is stale. An unknown id is never kept, so it cannot crowd out a known one.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AccountId, Caller, Credential, Database, Identities, PrincipalPolicies, Region, access_key_id,
};
use haechi_policy::{Document, Kind, Principal};
use haechi_wire::{Fault, Timestamp};

use crate::entity::Entity;
use crate::store::{
    AccessKeyRecord, GoneKeyRecord, UserRecord, account_scope, gone_key_path, key_path, user_path,
};
use crate::{Iam, group, managed, user};

/// How often a lookup starts anew because the user was renamed in its midst.
const ATTEMPTS: usize = 4;

/// The root user of an account, as a caller with a certain key. `--dev` makes callers of it for
/// key ids that nobody created.
pub fn root_caller(account: &AccountId, access_key_id: &str) -> Caller {
    let principal = Principal::Root { arn: user::root_arn(account), account: account.to_string() };
    Caller {
        principal,
        account: account.clone(),
        access_key_id: access_key_id.to_owned(),
        user_id: account.to_string(),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies::default(),
        issued: None,
        session: None,
    }
}

#[async_trait]
impl Identities for Iam {
    async fn credential(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        let Some(account) = access_key_id::account(access_key_id) else { return Ok(None) };
        // In boxes, so that the usual case does not carry their room.
        if let Some(token) = session_token {
            return Box::pin(self.session_credential(&account, access_key_id, token)).await;
        }
        let build = async { Box::pin(build(&self.database, &account, access_key_id)).await };
        self.database.derived(&account_scope(&account), access_key_id, build).await
    }

    fn used(&self, caller: &Caller, service: &'static str, region: &Region, now: Timestamp) {
        self.last_used.note(caller, service, region, now);
    }
}

impl Iam {
    /// Whether the key is one that was created here: active, inactive or deleted since. `--dev` must
    /// ask this before it takes an id for unknown. Keys of sessions are made without a trace, so
    /// each id of theirs counts as known.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn knows(&self, access_key_id: &str) -> Result<bool, Fault> {
        if access_key_id.starts_with("ASIA") {
            return Ok(true);
        }
        let Some(account) = access_key_id::account(access_key_id) else { return Ok(false) };
        let path = key_path(&account, access_key_id);
        if self.database.cached(&path, |_: AccessKeyRecord| Ok(())).await?.is_some() {
            return Ok(true);
        }
        let gone = self.database.load::<GoneKeyRecord>(&gone_key_path(access_key_id)).await?;
        Ok(gone.is_some())
    }
}

async fn build(
    database: &Database,
    account: &AccountId,
    id: &str,
) -> Result<Option<Credential>, Fault> {
    for _ in 0..ATTEMPTS {
        let key = database.load::<AccessKeyRecord>(&key_path(account, id)).await?;
        let Some(key) = key.map(|key| key.value).filter(|key| key.active) else {
            return Ok(None);
        };
        let secret = Some(key.secret.0.clone());
        let Some(owner) = &key.user else {
            return Ok(Some(Credential::new(secret, root_caller(account, id))));
        };
        let user = database.load::<UserRecord>(&user_path(account, &owner.name)).await?;
        // Another user under the name, or none: it was renamed between the two reads.
        let Some(user) = user.map(|user| user.value).filter(|user| user.id == owner.id) else {
            continue;
        };
        match user_caller(database, account, id, user).await {
            // Something that it depends on was written between the reads.
            Err(Fault::Conflict) => {}
            outcome => return outcome.map(|caller| Some(Credential::new(secret, caller))),
        }
    }
    // No luck four times over, or a damaged store: refused either way.
    Err(Fault::internal(format!("the user that owns access key {id} is not found")))
}

/// A user as a caller, with its policies and those of its groups.
pub(crate) async fn user_caller(
    database: &Database,
    account: &AccountId,
    access_key_id: &str,
    user: UserRecord,
) -> Result<Caller, Fault> {
    let mut identity = entity_policies(database, account, &user).await?;
    for group in group::of_user(database, account, &user).await? {
        identity.extend(entity_policies(database, account, &group).await?);
    }
    let boundary = boundary(database, account, &user).await?;
    let principal = Principal::User {
        arn: user.arn(account),
        unique_id: user.id.clone(),
        account: account.to_string(),
    };
    Ok(Caller {
        principal,
        account: account.clone(),
        access_key_id: access_key_id.to_owned(),
        user_id: user.id,
        user_name: Some(user.name),
        tags: user.tags,
        policies: PrincipalPolicies { identity, boundary, session: None },
        issued: None,
        session: None,
    })
}

/// The inline and attached policies of a user, group or role, compiled. [`Fault::Conflict`] if one
/// is detached and deleted meanwhile.
pub(crate) async fn entity_policies<E: Entity>(
    database: &Database,
    account: &AccountId,
    entity: &E,
) -> Result<Vec<Arc<Document>>, Fault> {
    let mut policies = Vec::with_capacity(entity.policies().len() + entity.attached().len());
    for (name, text) in entity.policies() {
        let document = Document::parse(text, Kind::Identity).map_err(Fault::internal)?;
        policies.push(Arc::new(document.named(name.as_str())));
    }
    for arn in entity.attached() {
        let document = managed::compiled(database, account, arn).await?;
        policies.push(document.ok_or(Fault::Conflict)?);
    }
    Ok(policies)
}

/// The permissions boundary of a user or role, compiled.
pub(crate) async fn boundary<E: Entity>(
    database: &Database,
    account: &AccountId,
    entity: &E,
) -> Result<Option<Arc<Document>>, Fault> {
    let Some(arn) = entity.boundary() else { return Ok(None) };
    let document = managed::compiled(database, account, arn).await?;
    document.ok_or(Fault::Conflict).map(Some)
}
