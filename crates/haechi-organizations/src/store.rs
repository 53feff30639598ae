//! Records, and where they lie.
//!
//! ```text
//! /organizations-revision                                     written with each change of any: what
//!                                                             is derived from all is stale then
//! /organizations-account/<account>                            AccountRecord: name, e-mail, and the
//!                                                             organization it is in
//! /organizations-handshake/<h-…>                              HandshakeRecord: both parties see it
//! /organizations/<management account>/organization            OrganizationRecord: head and root
//! /organizations/<management account>/<o-…>/unit/<ou-…>       UnitRecord
//! /organizations/<management account>/<o-…>/account/<account> MemberRecord
//! /organizations/<management account>/<o-…>/policy/<p-…>      PolicyRecord
//! /organizations/<management account>/<o-…>/creation/<car-…>  CreationRecord
//! ```
//! Each change of an organization writes its head, which must be the one that was read: so every
//! rule over several records (a name is unique, a unit is empty, ten policies at most) is decided
//! on one state of the whole.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Path, PrincipalIds, Record};
use serde::{Deserialize, Serialize};

/// Tags, in the order in which they were set.
pub(crate) type Tags = Vec<(String, String)>;

pub(crate) fn revision_path() -> Path {
    Path::new("organizations-revision")
}

/// The prefix of all accounts' rows.
pub(crate) fn accounts_path() -> Path {
    Path::new("organizations-account")
}

pub(crate) fn account_path(account: &str) -> Path {
    accounts_path().part(account)
}

/// The prefix of all handshakes.
pub(crate) fn handshakes_path() -> Path {
    Path::new("organizations-handshake")
}

pub(crate) fn handshake_path(id: &str) -> Path {
    handshakes_path().part(id)
}

/// All that is kept of the organization that an account manages.
pub(crate) fn scope(management: &str) -> Path {
    Path::new("organizations").part(management)
}

pub(crate) fn head_path(management: &str) -> Path {
    scope(management).part("organization")
}

/// A kind of an organization's rows.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    Unit,
    Account,
    Policy,
    Creation,
}

impl Row {
    pub(crate) fn prefix(self, management: &str, organization: &str) -> Path {
        let kind = match self {
            Row::Unit => "unit",
            Row::Account => "account",
            Row::Policy => "policy",
            Row::Creation => "creation",
        };
        scope(management).part(organization).part(kind)
    }
}

/// Written with each change.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RevisionRecord {
    pub(crate) changed_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An account, whether or not it is in an organization.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// The management account of its organization.
    pub(crate) organization: Option<String>,
    pub(crate) created_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A policy on a target. It counts only while the policy's type has the same generation: so that
/// disabling a type takes all its policies off at once.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) policy: String,
    pub(crate) generation: u64,
}

/// What hangs on a root, a unit or an account.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Hung {
    pub(crate) attached: Vec<Attachment>,
    /// Policies of AWS's own that enabling a type attaches to everything, and that were taken off.
    pub(crate) detached: Vec<Attachment>,
    pub(crate) tags: Tags,
}

/// The head of an organization, and its root.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OrganizationRecord {
    pub(crate) id: String,
    pub(crate) root_id: String,
    pub(crate) management: String,
    pub(crate) all_features: bool,
    pub(crate) created_ms: i64,
    /// Counts changes.
    pub(crate) revision: u64,
    /// The enabled types of policies, with their generation.
    pub(crate) policy_types: BTreeMap<String, u64>,
    /// The last generation given.
    pub(crate) generation: u64,
    pub(crate) root: Hung,
    /// Services with trusted access, and since when.
    pub(crate) services: BTreeMap<String, i64>,
    pub(crate) resource_policy: Option<ResourcePolicyRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// The organization's own resource policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ResourcePolicyRecord {
    pub(crate) id: String,
    pub(crate) content: String,
    /// Of the users and roles that it names.
    #[serde(default)]
    pub(crate) principals: PrincipalIds,
    pub(crate) tags: Tags,
}

/// An organizational unit.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UnitRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
    pub(crate) hung: Hung,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An account in an organization.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) parent: String,
    /// Created in the organization, rather than invited.
    pub(crate) created: bool,
    pub(crate) joined_ms: i64,
    /// When it was closed.
    pub(crate) closed_ms: Option<i64>,
    /// Services whose administrator it is, and since when.
    pub(crate) delegated: BTreeMap<String, i64>,
    pub(crate) hung: Hung,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) kind: String,
    pub(crate) content: String,
    pub(crate) tags: Tags,
    pub(crate) updated_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A request for an account.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CreationRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role_name: String,
    pub(crate) tags: Tags,
    /// Chosen with the request; shown once the account is there.
    pub(crate) account: String,
    pub(crate) state: String,
    pub(crate) failure: Option<String>,
    pub(crate) requested_ms: i64,
    pub(crate) completed_ms: Option<i64>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An invitation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HandshakeRecord {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) management: String,
    pub(crate) management_name: String,
    pub(crate) management_email: String,
    pub(crate) all_features: bool,
    /// The account invited.
    pub(crate) account: String,
    /// How it was named: by its e-mail address, or by its id.
    pub(crate) by_email: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) state: String,
    pub(crate) requested_ms: i64,
    pub(crate) expires_ms: i64,
    /// When a party ended it. Records from before this was noted have none.
    #[serde(default)]
    pub(crate) ended_ms: Option<i64>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A row of any kind: for those that only remove it.
#[derive(Serialize, Deserialize)]
pub(crate) struct AnyRecord {
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for RevisionRecord {}
impl Record for AccountRecord {}
impl Record for OrganizationRecord {}
impl Record for UnitRecord {}
impl Record for MemberRecord {}
impl Record for PolicyRecord {}
impl Record for CreationRecord {}
impl Record for HandshakeRecord {}
impl Record for AnyRecord {}
