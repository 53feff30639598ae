//! Policies that AWS manages: the same for all accounts, unchangeable, under
//! `arn:aws:iam::aws:policy/…`.
//!
//! `aws_managed.json` holds them, one a line: name, path, version, times and document as AWS
//! publishes them (taken as facts from the tables of moto 5.2.5; order of members aside), and a few
//! descriptions. Four are left out, which name IAM's role templates or are longer than a policy may
//! be here. A policy that is not in it does not exist here. Documents are read when they are
//! needed: together they are some megabytes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use haechi_policy::{Document, Kind};
use haechi_wire::Fault;
use serde::Deserialize;

use crate::PARTITION;
use crate::user::ID_ALPHABET;

static TABLE: &str = include_str!("aws_managed.json");

static POLICIES: LazyLock<Vec<AwsPolicy>> = LazyLock::new(|| {
    // A test reads the table, so it can be read.
    TABLE.lines().filter_map(row).collect()
});

static BY_ARN: LazyLock<HashMap<&'static str, &'static AwsPolicy>> =
    LazyLock::new(|| all().iter().map(|policy| (policy.arn.as_str(), policy)).collect());

#[derive(Deserialize)]
struct Row {
    name: String,
    path: String,
    version: u32,
    created_ms: i64,
    updated_ms: i64,
    description: Option<String>,
}

/// A line of the table; `None` for its brackets.
fn row(line: &'static str) -> Option<AwsPolicy> {
    let (head, document) = line.trim_end_matches(',').split_once(",\"document\":")?;
    let row = serde_json::from_str(&format!("{head}}}")).ok()?;
    Some(AwsPolicy::new(row, document.strip_suffix('}')?))
}

/// One of them.
pub(crate) struct AwsPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    pub(crate) id: String,
    /// The number of its one version that is known here.
    pub(crate) version: u32,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) description: Option<String>,
    pub(crate) document: &'static str,
    compiled: OnceLock<Arc<Document>>,
}

impl AwsPolicy {
    fn new(row: Row, document: &'static str) -> AwsPolicy {
        let arn = format!("arn:{PARTITION}:iam::aws:policy{}{}", row.path, row.name);
        AwsPolicy {
            id: id(&arn),
            arn,
            name: row.name,
            path: row.path,
            version: row.version,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            description: row.description,
            document,
            compiled: OnceLock::new(),
        }
    }

    /// The policy, compiled once.
    ///
    /// # Errors
    /// If the table is damaged.
    pub(crate) fn compiled(&self) -> Result<Arc<Document>, Fault> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(Arc::clone(compiled));
        }
        let document = Document::parse(self.document, Kind::Identity).map_err(Fault::internal)?;
        let document = Arc::new(document.named(self.arn.as_str()));
        Ok(Arc::clone(self.compiled.get_or_init(|| document)))
    }
}

/// A stand-in for AWS's own id, which the tables do not tell: the same at every start.
fn id(arn: &str) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut out = String::from("ANPA");
    for _ in 0..17 {
        // FNV-1a.
        for byte in arn.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let index = usize::try_from((state >> 40) & 31).unwrap_or(0);
        out.push(ID_ALPHABET.get(index).map_or('A', |byte| char::from(*byte)));
    }
    out
}

/// All of them, by name.
pub(crate) fn all() -> &'static [AwsPolicy] {
    &POLICIES
}

/// The one with this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsPolicy> {
    BY_ARN.get(arn).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_policy_of_the_table_compiles_and_no_two_share_an_id() {
        assert_eq!(all().len(), TABLE.lines().count() - 2);
        let refused = |policy: &&AwsPolicy| policy.compiled().is_err();
        let refused: Vec<&str> =
            all().iter().filter(refused).map(|policy| policy.name.as_str()).collect();
        assert!(refused.is_empty(), "{refused:?}");
        let ids: HashSet<&str> = all().iter().map(|policy| policy.id.as_str()).collect();
        assert_eq!(ids.len(), all().len());
    }

    #[test]
    fn a_policy_is_found_by_its_arn() {
        assert!(find("arn:aws:iam::aws:policy/AdministratorAccess").is_some());
        assert!(find("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").is_some());
        assert!(find("arn:aws:iam::aws:policy/ViewOnlyAccess").is_none());
        // What LocalStack's tests attach and show as AWS does.
        for path in ["service-role/AWSControlTowerServiceRolePolicy", "AWSLambdaExecute"] {
            assert!(find(&format!("arn:aws:iam::aws:policy/{path}")).is_some(), "{path}");
        }
        let described = find("arn:aws:iam::aws:policy/job-function/SystemAdministrator").unwrap();
        assert_eq!(described.version, 12);
        assert!(described.description.as_ref().is_some_and(|text| text.starts_with("Grants full")));
    }
}
