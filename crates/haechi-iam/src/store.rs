//! Records, and where they lie.
//!
//! ```text
//! /iam-account/<account>                 the account exists; for listing accounts
//! /iam/<account>/account                 AccountRecord: the root user and its keys
//! /iam/<account>/user/<hidden name>      UserRecord: all of a user; the name in lower case
//! /iam/<account>/key/<access key id>     AccessKeyRecord: owner, status, secret
//! /iam/<account>/group/<hidden name>     GroupRecord
//! /iam/<account>/group-id/<group id>     GroupNameRecord: the group's name, which may change
//! /iam/<account>/member/<group id>/<user id>          MemberRecord
//! /iam/<account>/role/<hidden name>      RoleRecord
//! /iam/<account>/policy/<hidden name>    PolicyRecord: a managed policy with its versions
//! /iam/<account>/use/<hidden policy arn>/<usage>/<entity id>   UseRecord: who a policy is attached to
//! /iam/<account>/profile/<hidden name>   ProfileRecord: an instance profile
//! /iam/<account>/deletion/<task id>      DeletionRecord: a service-linked role that was deleted
//! /iam/<account>/login/<user id>         LoginRecord: the password's hash
//! /iam/<account>/server-certificate/<hidden name>     ServerCertificateRecord
//! /iam/<account>/public-keys/<user id, or root>       PublicKeysRecord: SSH keys, certificates
//! /iam/<account>/mfa/<hidden path and name>           MfaRecord: a virtual MFA device
//! /iam/<account>/oidc-provider/<hidden url>           OidcProviderRecord
//! /iam/<account>/saml-provider/<hidden name>          SamlProviderRecord
//! /iam-mfa-used/<account>/<hidden path and name>      MfaUsedRecord: codes that were accepted
//! /iam-report/<account>                  ReportRecord: the newest credential report
//! /iam-alias/<hidden alias>              AliasRecord: the account that has the alias
//! /iam-key-used/<access key id>          LastUsedRecord; written lazily
//! /iam-key-gone/<access key id>          GoneKeyRecord: the key was deleted; only `--dev` asks
//! /iam-role-used/<account>/<role id>     LastUsedRecord of its sessions; written lazily
//! ```
//! A user with its policies, tags and the ids of its keys is one record: one read gives all that a
//! decision needs, and all of AWS's "first delete its keys" rules are decided on one revision.
//! Keys lie in their account, which their ids name (`haechi_core::access_key_id`), so that a write
//! to a key makes stale what is cached of the account, callers above all.
//! Last uses and accepted codes lie apart from the account, since a write there makes stale what
//! is cached of it.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Path, PrincipalIds, Record};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::secret::Secret;

mod credentials;

pub(crate) use credentials::{
    LoginRecord, MfaRecord, MfaUsedRecord, OidcProviderRecord, PasswordPolicyRecord,
    PublicKeysRecord, ROOT_ID, ReportRecord, SamlProviderRecord, ServerCertificateRecord,
    ServiceCredentialRecord, UploadRecord, all_public_keys_path, login_path, mfa_used_path,
    public_keys_path, report_path, server_certificate_path, server_certificates_path,
};

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

/// What remains of a deleted key.
pub(crate) fn gone_key_path(access_key_id: &str) -> Path {
    Path::new("iam-key-gone").part(access_key_id)
}

pub(crate) fn groups_path(account: &AccountId) -> Path {
    account_scope(account).part("group")
}

pub(crate) fn group_path(account: &AccountId, name: &str) -> Path {
    groups_path(account).hidden(&name.to_lowercase())
}

pub(crate) fn group_name_path(account: &AccountId, id: &str) -> Path {
    account_scope(account).part("group-id").part(id)
}

/// The prefix of a group's members.
pub(crate) fn members_path(account: &AccountId, group_id: &str) -> Path {
    account_scope(account).part("member").part(group_id)
}

pub(crate) fn roles_path(account: &AccountId) -> Path {
    account_scope(account).part("role")
}

pub(crate) fn role_path(account: &AccountId, name: &str) -> Path {
    roles_path(account).hidden(&name.to_lowercase())
}

pub(crate) fn policies_path(account: &AccountId) -> Path {
    account_scope(account).part("policy")
}

pub(crate) fn policy_path(account: &AccountId, name: &str) -> Path {
    policies_path(account).hidden(&name.to_lowercase())
}

/// The prefix of all uses of all policies.
pub(crate) fn all_uses_path(account: &AccountId) -> Path {
    account_scope(account).part("use")
}

/// The prefix of one policy's uses.
pub(crate) fn uses_path(account: &AccountId, policy_arn: &str) -> Path {
    all_uses_path(account).hidden(policy_arn)
}

pub(crate) fn profiles_path(account: &AccountId) -> Path {
    account_scope(account).part("profile")
}

pub(crate) fn profile_path(account: &AccountId, name: &str) -> Path {
    profiles_path(account).hidden(&name.to_lowercase())
}

pub(crate) fn deletion_path(account: &AccountId, task: &str) -> Path {
    account_scope(account).part("deletion").hidden(task)
}

pub(crate) fn alias_path(alias: &str) -> Path {
    Path::new("iam-alias").hidden(alias)
}

pub(crate) fn last_used_path(access_key_id: &str) -> Path {
    Path::new("iam-key-used").part(access_key_id)
}

pub(crate) fn role_used_path(account: &AccountId, role_id: &str) -> Path {
    Path::new("iam-role-used").part(account.as_str()).part(role_id)
}

/// An account and its root user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) account: String,
    pub(crate) created_ms: i64,
    pub(crate) root_access_key_ids: Vec<String>,
    #[serde(default)]
    pub(crate) alias: Option<String>,
    #[serde(default)]
    pub(crate) password_policy: Option<PasswordPolicyRecord>,
    /// Whether it wants STS's global endpoint to answer tokens for all Regions.
    #[serde(default)]
    pub(crate) has_v2_tokens: bool,
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
    /// ARNs of attached managed policies.
    #[serde(default)]
    pub(crate) attached: Vec<String>,
    /// The ARN of the permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<String>,
    #[serde(default)]
    pub(crate) group_ids: Vec<String>,
    /// Serial numbers of the MFA devices that are enabled for it, in that order.
    #[serde(default)]
    pub(crate) mfa_serials: Vec<String>,
    /// Whether it has a password (`LoginRecord`).
    #[serde(default)]
    pub(crate) has_login: bool,
    /// Whether it has SSH public keys (`PublicKeysRecord`).
    #[serde(default)]
    pub(crate) has_ssh_keys: bool,
    /// Whether it has signing certificates.
    #[serde(default)]
    pub(crate) has_certificates: bool,
    /// Whether it has service-specific credentials.
    #[serde(default)]
    pub(crate) has_service_credentials: bool,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AGPA…`.
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) policies: BTreeMap<String, String>,
    pub(crate) attached: Vec<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// The name of a group that is known by its id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GroupNameRecord {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A user in a group; a rename rewrites the name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub(crate) user: UserReference,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A role with everything that hangs on it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AROA…`.
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) description: Option<String>,
    /// The longest session, in seconds.
    pub(crate) session_seconds_max: i32,
    /// The trust policy as it was written.
    pub(crate) trust: String,
    /// Unique ids of the users and roles that it named when it was written, by ARN.
    pub(crate) trust_principals: PrincipalIds,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) policies: BTreeMap<String, String>,
    pub(crate) attached: Vec<String>,
    pub(crate) boundary: Option<String>,
    /// Names of the instance profiles that hold it.
    pub(crate) profiles: Vec<String>,
    /// The service that a service-linked role belongs to.
    pub(crate) service: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A managed policy of an account.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `ANPA…`.
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    /// In order of their numbers.
    pub(crate) versions: Vec<PolicyVersionRecord>,
    /// The number of the version that counts.
    pub(crate) default_version: u32,
    /// The highest number ever given.
    pub(crate) last_version: u32,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A version of a managed policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersionRecord {
    pub(crate) number: u32,
    pub(crate) text: String,
    pub(crate) created_ms: i64,
}

/// Whom a managed policy is attached to, or whose boundary it is; a rename rewrites the name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UseRecord {
    pub(crate) policy_arn: String,
    pub(crate) kind: EntityKind,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) is_boundary: bool,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An instance profile.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ProfileRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AIPA…`.
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) role: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A service-linked role that was deleted.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DeletionRecord {
    pub(crate) role: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Whose an account alias is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) account: String,
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

/// What remains of a deleted key, which `--dev` must not take for one that nobody made.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct GoneKeyRecord {
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Names a user; a rename rewrites the name in each of its keys and MFA devices.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UserReference {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// When a key last signed a request, or a session of a role was last used.
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
impl Record for GoneKeyRecord {}
impl Record for GroupRecord {}
impl Record for GroupNameRecord {}
impl Record for MemberRecord {}
impl Record for RoleRecord {}
impl Record for PolicyRecord {}
impl Record for UseRecord {}
impl Record for ProfileRecord {}
impl Record for DeletionRecord {}
impl Record for AliasRecord {}

impl AccessKeyRecord {
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.created_ms)
    }
}
