//! From an access key id to a caller, on every request.
//!
//! Two cached steps, both correct by epochs (`haechi_core::cache`):
//!
//! 1. the key's own row, for its account and status; stale once that row is written;
//! 2. the caller with its policies, compiled; stale once anything of the account is written.
//!
//! A key that is deleted or deactivated fails in step 1, a change of policy, tag or name renews
//! step 2; the answer to either write leaves only after both know. A key's secret never changes,
//! so a caller kept through a deactivation and back is still right.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Caller, Credential, Database, Identities, PrincipalPolicies, Region};
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

/// What step 1 keeps of a key.
struct Status {
    account: AccountId,
    active: bool,
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
        let Some(status) = self.status(access_key_id).await? else { return Ok(None) };
        if !status.active {
            return Ok(None);
        }
        let build = build(&self.database, access_key_id);
        self.database.derived(&account_scope(&status.account), access_key_id, build).await
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
        Ok(self.status(access_key_id).await?.is_some())
    }

    async fn status(&self, access_key_id: &str) -> Result<Option<Arc<Status>>, Fault> {
        self.database
            .cached(&key_path(access_key_id), |record: AccessKeyRecord| {
                let account = account_of(&record)?;
                Ok(Status { account, active: record.active })
            })
            .await
    }
}

fn account_of(record: &AccessKeyRecord) -> Result<AccountId, Fault> {
    AccountId::parse(&record.account)
        .ok_or_else(|| Fault::internal(format!("access key {} names no account", record.id)))
}

async fn build(database: &Database, id: &str) -> Result<Option<Credential>, Fault> {
    for _ in 0..ATTEMPTS {
        let Some(key) = database.load::<AccessKeyRecord>(&key_path(id)).await? else {
            return Ok(None);
        };
        let (key, account) = (&key.value, account_of(&key.value)?);
        let Some(owner) = &key.user else {
            let caller = root_caller(&account, id);
            return Ok(Some(Credential::new(Some(key.secret.0.clone()), caller)));
        };
        let user = database.load::<UserRecord>(&user_path(&account, &owner.name)).await?;
        // Another user under the name, or none: it was renamed between the two reads.
        if let Some(user) = user.filter(|user| user.value.id == owner.id) {
            let caller = user_caller(&account, id, user.value)?;
            return Ok(Some(Credential::new(Some(key.secret.0.clone()), caller)));
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
