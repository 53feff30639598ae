//! Records, and where they lie.
//!
//! ```text
//! /lambda/<account>/<region>/function/<name>            FunctionRecord
//! /lambda/<account>/<region>/version/<function>/<number>  VersionRecord
//! /lambda/<account>/<region>/alias/<function>/<name>    AliasRecord
//! /lambda/<account>/<region>/mapping/<id>               MappingRecord
//! /lambda-code/<code>/<number>                          PieceRecord: of an archive
//! ```
//! `<function>` is an id that a function gets when it is made, so that a new one of an old name has
//! none of the old one's versions.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Path, PrincipalIds, Record};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An archive that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// Names its pieces.
    pub(crate) id: String,
    pub(crate) pieces: u32,
    pub(crate) size: i64,
    /// Base64, as AWS shows it.
    pub(crate) sha256: String,
}

/// What is published as a version, or is `$LATEST`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    /// `$LATEST`, or its number.
    pub(crate) version: String,
    pub(crate) code: Code,
    pub(crate) runtime: String,
    pub(crate) handler: Option<String>,
    pub(crate) role: String,
    pub(crate) description: String,
    pub(crate) timeout: i32,
    pub(crate) memory: i32,
    pub(crate) storage: i32,
    /// `None` where none was ever given.
    pub(crate) environment: Option<BTreeMap<String, Zeroizing<String>>>,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) architecture: String,
    pub(crate) tracing: String,
    pub(crate) log_group: Option<String>,
    /// How much is logged where the log is JSON; none where it is text.
    #[serde(default)]
    pub(crate) log_json: Option<LogLevels>,
    pub(crate) modified_ms: i64,
    pub(crate) revision: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// How much a function logs: of its own, and of Lambda's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLevels {
    pub(crate) application: String,
    pub(crate) system: String,
}

/// A version that was published.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VersionRecord(pub(crate) Version);

impl Record for VersionRecord {}

/// A resource policy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// JSON of each statement, in their order.
    pub(crate) statements: Vec<String>,
    pub(crate) revision: String,
    /// Of the user or role that a statement names, by the statement's id.
    #[serde(default)]
    pub(crate) principals: BTreeMap<String, PrincipalIds>,
}

/// How asynchronous invocations are dealt with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EventInvoke {
    pub(crate) retries: Option<i32>,
    pub(crate) age_seconds: Option<i32>,
    pub(crate) on_success: Option<String>,
    pub(crate) on_failure: Option<String>,
    pub(crate) modified_ms: i64,
}

/// A function.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FunctionRecord {
    pub(crate) name: String,
    /// Names its versions and aliases.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) latest: Version,
    /// The number of the version published last.
    pub(crate) published: u64,
    /// The revision of `$LATEST` for as long as neither its code nor its configuration was updated
    /// since then.
    #[serde(default)]
    pub(crate) published_as: Option<String>,
    /// By qualifier; empty for the function itself.
    pub(crate) policies: BTreeMap<String, Policy>,
    /// By qualifier; `$LATEST` for the function itself.
    pub(crate) event_invoke: BTreeMap<String, EventInvoke>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Reserved concurrency.
    pub(crate) reserved: Option<i32>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for FunctionRecord {}

impl FunctionRecord {
    /// Whether `$LATEST` was updated since a version was published, to whatever.
    pub(crate) fn is_updated(&self) -> bool {
        self.published_as.as_ref() != Some(&self.latest.revision)
    }

    /// Gives `$LATEST` another revision; that is no update.
    pub(crate) fn revise(&mut self, revision: String) {
        if !self.is_updated() {
            self.published_as = Some(revision.clone());
        }
        self.latest.revision = revision;
    }
}

/// An alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    /// Another version, and its share.
    pub(crate) weights: BTreeMap<String, f64>,
    pub(crate) revision: String,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for AliasRecord {}

/// A queue whose messages a function gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MappingRecord {
    pub(crate) id: String,
    /// Changes with every change: who polls for an older one stops.
    pub(crate) generation: String,
    pub(crate) partition: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// As it was named: with or without a qualifier.
    pub(crate) function_arn: String,
    pub(crate) queue_arn: String,
    pub(crate) enabled: bool,
    pub(crate) batch_size: i32,
    pub(crate) window_seconds: i32,
    /// Whether the function tells which messages it failed at.
    pub(crate) reports_failures: bool,
    /// Patterns of which a message must fit one; none where there is no filter.
    pub(crate) filters: Vec<String>,
    pub(crate) concurrency_max: Option<i32>,
    pub(crate) modified_ms: i64,
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for MappingRecord {}

/// A piece of an archive.
#[derive(Serialize, Deserialize)]
pub(crate) struct PieceRecord {
    pub(crate) bytes: ciborium::Value,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for PieceRecord {}

/// Where the rows of an account in a Region lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Place {
    fn rows(&self, kind: &str) -> Path {
        Path::new("lambda").part(&self.account).part(&self.region).part(kind)
    }

    /// The prefix of all functions.
    pub(crate) fn functions(&self) -> Path {
        self.rows("function")
    }

    pub(crate) fn function(&self, name: &str) -> Path {
        self.functions().hidden(name)
    }

    /// The prefix of a function's versions.
    pub(crate) fn versions(&self, id: &str) -> Path {
        self.rows("version").part(id)
    }

    pub(crate) fn version(&self, id: &str, number: u64) -> Path {
        self.versions(id).part(&format!("{number:010}"))
    }

    /// The prefix of a function's aliases.
    pub(crate) fn aliases(&self, id: &str) -> Path {
        self.rows("alias").part(id)
    }

    /// The prefix of all event source mappings.
    pub(crate) fn mappings(&self) -> Path {
        self.rows("mapping")
    }

    pub(crate) fn mapping(&self, id: &str) -> Path {
        self.mappings().part(id)
    }

    pub(crate) fn alias(&self, id: &str, name: &str) -> Path {
        self.aliases(id).hidden(name)
    }
}

/// The prefix of an archive's pieces.
pub(crate) fn pieces(code: &str) -> Path {
    Path::new("lambda-code").part(code)
}

pub(crate) fn piece(code: &str, number: u32) -> Path {
    pieces(code).part(&format!("{number:06}"))
}
