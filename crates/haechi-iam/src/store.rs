//! Records, and where they lie.
//!
//! ```text
//! /iam-account/<account>                 the account exists; for listing accounts
//! /iam/<account>/account                 AccountRecord: the root user and its keys
//! /iam/<account>/user/<hidden name>      UserRecord: all of a user; the name in lower case
//! /iam/<account>/key/<access key id>     AccessKeyRecord: owner, status, secret
//! /iam-key-used/<access key id>          LastUsedRecord; written lazily
//! ```
//! A user with its policies, tags and the ids of its keys is one record: one read gives all that a
//! decision needs, and all of AWS's "first delete its keys" rules are decided on one revision.
//! Keys lie in their account, which their ids name (`haechi_core::access_key_id`), so that a write
//! to a key makes stale what is cached of the account, callers above all.
//! Last uses lie apart from the account, since a write there makes stale what is cached of it.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Path, Record};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// All that IAM keeps of an account: what is derived from it is stale once any of it is written.
pub(crate) fn account_scope(account: &AccountId) -> Path {
    Path::new("iam").part(account.as_str())
}

pub(crate) fn account_path(account: &AccountId) -> Path {
    account_scope(account).part("account")
}

/// The prefix of all accounts' index rows.
pub(crate) fn account_index() -> Path {
    Path::new("iam-account")
}

pub(crate) fn users_path(account: &AccountId) -> Path {
    account_scope(account).part("user")
}

pub(crate) fn user_path(account: &AccountId, name: &str) -> Path {
    users_path(account).hidden(&name.to_lowercase())
}

pub(crate) fn key_path(account: &AccountId, access_key_id: &str) -> Path {
    account_scope(account).part("key").part(access_key_id)
}

pub(crate) fn last_used_path(access_key_id: &str) -> Path {
    Path::new("iam-key-used").part(access_key_id)
}

/// An account and its root user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) account: String,
    pub(crate) created_ms: i64,
    pub(crate) root_access_key_ids: Vec<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// The row that makes an account listed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountIndexRecord {
    pub(crate) account: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A user with everything that hangs on it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AIDA…`: stays through renames, never used again.
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) tags: Vec<(String, String)>,
    /// Inline policies as they were written, by name.
    pub(crate) policies: BTreeMap<String, String>,
    pub(crate) access_key_ids: Vec<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An access key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    pub(crate) id: String,
    /// `None`: the root user.
    pub(crate) user: Option<UserReference>,
    pub(crate) active: bool,
    pub(crate) secret: Secret,
    pub(crate) created_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Names a user; a rename rewrites the name in each of its keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserReference {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// When a key last signed a request.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LastUsedRecord {
    pub(crate) used_ms: i64,
    pub(crate) service: String,
    pub(crate) region: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for AccountRecord {}
impl Record for AccountIndexRecord {}
impl Record for UserRecord {}
impl Record for AccessKeyRecord {}
impl Record for LastUsedRecord {}

impl AccessKeyRecord {
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.created_ms)
    }
}
