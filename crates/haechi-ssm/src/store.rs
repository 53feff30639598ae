//! Records, and where they lie.
//!
//! ```text
//! /ssm/<account>/<region>/parameter/path/<a>/path/<b>/name/<c>  ParameterRecord of /a/b/c, with its
//!                                                               newest version
//! /ssm/<account>/<region>/version/<parameter's id>/<number>     VersionRecord: an earlier version
//! /ssm/<account>/<region>/count/<0-3f>                          CountRecord: parameters per tier
//! /ssm/<account>/<region>/setting/<name>                        SettingRecord
//! ```
//! `<a>`, `<b>`, `<c>` are pseudonyms. What is under a path is one range of keys, and so is what is
//! directly in it (`…/name/`): a page of either costs as much as it shows, however many parameters
//! there are. Counts are in as many rows as there were parameters made at the same time
//! (`count.rs`); all are read in one range.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Path, PrincipalIds, Record};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::Name;

/// An account's parameters in a Region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

impl Place<'_> {
    fn root(self, kind: &str) -> Path {
        Path::new("ssm").part(self.account).part(self.region).part(kind)
    }

    /// Everything that the account has, in all Regions.
    pub(crate) fn all(self) -> Path {
        Path::new("ssm").part(self.account)
    }

    /// Everything under a path, at any depth.
    pub(crate) fn under<S: AsRef<str>>(self, levels: &[S]) -> Path {
        let root = self.root("parameter");
        levels.iter().fold(root, |path, level| path.part("path").hidden(level.as_ref()))
    }

    /// What is directly in a path.
    pub(crate) fn directly_in<S: AsRef<str>>(self, levels: &[S]) -> Path {
        self.under(levels).part("name")
    }

    pub(crate) fn parameter(self, name: &Name) -> Path {
        self.directly_in(&name.path).hidden(&name.leaf)
    }

    pub(crate) fn version(self, id: &str, version: i64) -> Path {
        self.root("version").part(id).part(&format!("{version:016x}"))
    }

    /// The prefix of all counts.
    pub(crate) fn counts(self) -> Path {
        self.root("count")
    }

    /// A row of the counts.
    pub(crate) fn count(self, shard: &str) -> Path {
        self.counts().part(shard)
    }

    pub(crate) fn setting(self, name: &str) -> Path {
        self.root("setting").part(name)
    }
}

/// A parameter, with its newest version.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ParameterRecord {
    /// A UUID: another parameter of the same name has another.
    pub(crate) id: String,
    /// As it was named when it was made.
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) current: Arc<VersionRecord>,
    /// The earliest version that is kept.
    pub(crate) oldest: i64,
    /// Labels, each with its version.
    pub(crate) labels: BTreeMap<String, i64>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The policy that shares it with others.
    pub(crate) resource_policy: Option<ResourcePolicyRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A version of a parameter.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VersionRecord {
    pub(crate) version: i64,
    /// `String`, `StringList` or `SecureString`.
    pub(crate) kind: String,
    /// What a `String` or `StringList` says; of a `SecureString`, its ciphertext in Base64.
    pub(crate) value: Zeroizing<String>,
    /// As it was named; of a `SecureString`.
    pub(crate) key_id: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) data_type: String,
    /// `Standard` or `Advanced`.
    pub(crate) tier: String,
    pub(crate) policies: Vec<PolicyRecord>,
    pub(crate) modified_ms: i64,
    /// The ARN of who did.
    pub(crate) modified_by: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A parameter policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    /// A UUID: jobs name it.
    pub(crate) id: String,
    pub(crate) kind: String,
    /// Its JSON.
    pub(crate) text: String,
    /// `Pending` or `Finished`.
    pub(crate) status: String,
    pub(crate) created_ms: i64,
}

/// A resource policy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ResourcePolicyRecord {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) text: String,
    /// Of the users and roles that it names.
    #[serde(default)]
    pub(crate) principals: PrincipalIds,
}

/// How many parameters there are, together with the other rows: alone it may be below zero.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct CountRecord {
    pub(crate) shard: String,
    pub(crate) standard: i64,
    pub(crate) advanced: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A service setting that is not its default.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SettingRecord {
    pub(crate) value: String,
    pub(crate) modified_ms: i64,
    pub(crate) modified_by: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ParameterRecord {}
impl Record for VersionRecord {}
impl Record for CountRecord {}
impl Record for SettingRecord {}

impl ParameterRecord {
    /// The name's levels.
    pub(crate) fn levels(&self) -> Option<Name> {
        Name::parse(&self.name)
    }

    /// The labels of a version, in order.
    pub(crate) fn labels_of(&self, version: i64) -> Vec<String> {
        let of = self.labels.iter().filter(|(_, labelled)| **labelled == version);
        of.map(|(label, _)| label.clone()).collect()
    }
}
