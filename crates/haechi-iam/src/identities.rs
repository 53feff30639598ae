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

use crate::Iam;
use crate::store::{AccessKeyRecord, UserRecord, account_scope, key_path, user_path};
use crate::user;

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
    }
}

#[async_trait]
impl Identities for Iam {
    async fn credential(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        // No sessions yet, so whatever comes with a token was not issued here.
        if session_token.is_some() {
            return Ok(None);
        }
        let Some(account) = access_key_id::account(access_key_id) else { return Ok(None) };
        let build = build(&self.database, &account, access_key_id);
        self.database.derived(&account_scope(&account), access_key_id, build).await
    }

    fn used(&self, access_key_id: &str, service: &'static str, region: &Region, now: Timestamp) {
        self.last_used.note(access_key_id, service, region, now);
    }
}

impl Iam {
    /// Whether the key is one that was created here and not deleted, active or not. `--dev` must
    /// ask this before it takes an id for unknown: an inactive key is not.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn knows(&self, access_key_id: &str) -> Result<bool, Fault> {
        let Some(account) = access_key_id::account(access_key_id) else { return Ok(false) };
        let path = key_path(&account, access_key_id);
        let known = self.database.cached(&path, |_: AccessKeyRecord| Ok(())).await?;
        Ok(known.is_some())
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
        if let Some(user) = user.filter(|user| user.value.id == owner.id) {
            return Ok(Some(Credential::new(secret, user_caller(account, id, user.value)?)));
        }
    }
    // No luck four times over, or a damaged store: refused either way.
    Err(Fault::internal(format!("the user that owns access key {id} is not found")))
}

fn user_caller(account: &AccountId, id: &str, user: UserRecord) -> Result<Caller, Fault> {
    let compiled = |(name, text): (&String, &String)| {
        let document = Document::parse(text, Kind::Identity).map_err(Fault::internal)?;
        Ok(Arc::new(document.named(name.as_str())))
    };
    let identity = user.policies.iter().map(compiled).collect::<Result<_, Fault>>()?;
    let principal = Principal::User {
        arn: user.arn(account),
        unique_id: user.id.clone(),
        account: account.to_string(),
    };
    Ok(Caller {
        principal,
        account: account.clone(),
        access_key_id: id.to_owned(),
        user_id: user.id,
        user_name: Some(user.name),
        tags: user.tags,
        policies: PrincipalPolicies { identity, ..PrincipalPolicies::default() },
        issued: None,
    })
}
