//! Records, and where they lie.
//!
//! ```text
//! /events/<account>/<region>/bus/<bus>            BusRecord; the default bus has one once it is tagged
//! /events/<account>/<region>/rule/<bus>/<rule>    RuleRecord, with its targets
//! /events/<account>/<region>/connection/<name>       ConnectionRecord; its secret is Secrets Manager's
//! /events/<account>/<region>/api-destination/<name>  ApiDestinationRecord
//! ```

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Path, PrincipalIds, Record, Region};
use serde::{Deserialize, Serialize};

use crate::connection::Authorization;

/// Tags, by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// An event bus.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct BusRecord {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// Who else may do what with it: a policy.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Of the users and roles that the policy names.
    #[serde(default)]
    pub(crate) policy_principals: PrincipalIds,
    #[serde(default)]
    pub(crate) dead_letter_arn: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for BusRecord {}

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RuleRecord {
    pub(crate) name: String,
    pub(crate) bus: String,
    /// As it was given.
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    #[serde(default)]
    pub(crate) schedule: Option<ScheduleRecord>,
    pub(crate) is_enabled: bool,
    /// Whether it also gets what tells of calls that only read.
    #[serde(default)]
    pub(crate) wants_reading_calls: bool,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) targets: Vec<TargetRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for RuleRecord {}

/// When a rule falls due by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScheduleRecord {
    /// As it was given.
    pub(crate) expression: String,
    /// The id of its jobs: another one with each plan.
    pub(crate) id: String,
    /// From when on a rate counts.
    pub(crate) origin_ms: i64,
    /// When it falls due next, if it ever does and the rule is enabled.
    pub(crate) next_ms: Option<i64>,
}

/// A target of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetRecord {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) role_arn: Option<String>,
    /// A text that the target gets in place of the event.
    pub(crate) input: Option<String>,
    /// The part of the event that it gets.
    pub(crate) input_path: Option<String>,
    /// What it gets instead, made of the event.
    pub(crate) transformer: Option<Transformer>,
    /// For FIFO queues.
    pub(crate) group_id: Option<String>,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) retry_attempts: Option<i32>,
    pub(crate) retry_age_seconds: Option<i32>,
    /// For API destinations.
    #[serde(default)]
    pub(crate) http: Option<HttpRecord>,
}

/// `HttpParameters` of a target; on its way to it, with the values that the event gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HttpRecord {
    /// What stands for the asterisks of the endpoint, in their order.
    pub(crate) path: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
}

/// A connection.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ConnectionRecord {
    pub(crate) name: String,
    /// The end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    /// `AUTHORIZED`, `AUTHORIZING`, `DEAUTHORIZED`.
    pub(crate) state: String,
    pub(crate) state_reason: Option<String>,
    pub(crate) authorization_type: String,
    /// How it authorises, without what is secret; none once it is deauthorized.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) kms_key: Option<String>,
    pub(crate) secret_arn: Option<String>,
    /// The version of the secret that counts.
    pub(crate) secret_version: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    pub(crate) authorized_ms: Option<i64>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ConnectionRecord {}

/// An API destination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiDestinationRecord {
    pub(crate) name: String,
    /// The end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) connection_arn: String,
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) rate_per_second: i32,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ApiDestinationRecord {}

/// `InputTransformer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transformer {
    pub(crate) paths: BTreeMap<String, String>,
    pub(crate) template: String,
}

/// Where the rows of an account in a Region lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Place {
    /// Of an account in a Region.
    pub(crate) fn new(account: &AccountId, region: &Region) -> Place {
        Place { account: account.to_string(), region: region.to_string() }
    }

    /// The prefix of all rows of the account, in all Regions.
    pub(crate) fn scope(&self) -> Path {
        Path::new("events").part(&self.account)
    }

    fn rows(&self, kind: &str) -> Path {
        self.scope().part(&self.region).part(kind)
    }

    /// The prefix of all buses.
    pub(crate) fn buses(&self) -> Path {
        self.rows("bus")
    }

    pub(crate) fn bus(&self, name: &str) -> Path {
        self.buses().hidden(name)
    }

    /// The prefix of a bus's rules.
    pub(crate) fn rules(&self, bus: &str) -> Path {
        self.rows("rule").hidden(bus)
    }

    pub(crate) fn rule(&self, bus: &str, name: &str) -> Path {
        self.rules(bus).hidden(name)
    }

    /// The prefix of all connections.
    pub(crate) fn connections(&self) -> Path {
        self.rows("connection")
    }

    pub(crate) fn connection(&self, name: &str) -> Path {
        self.connections().hidden(name)
    }

    /// The prefix of all API destinations.
    pub(crate) fn api_destinations(&self) -> Path {
        self.rows("api-destination")
    }

    pub(crate) fn api_destination(&self, name: &str) -> Path {
        self.api_destinations().hidden(name)
    }
}
