//! Records, and where they lie.
//!
//! ```text
//! /scheduler/<account>/<region>/group/<group>                 GroupRecord; the default group needs none
//! /scheduler/<account>/<region>/schedule/<group>/<schedule>   ScheduleRecord
//! ```

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx, Path, Record, Region, Source};
use serde::{Deserialize, Serialize};

/// Tags, by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A group of schedules.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub(crate) name: String,
    pub(crate) tags: Tags,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// Of the request that made it.
    pub(crate) client_token: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for GroupRecord {}

/// A schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ScheduleRecord {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) timing: Timing,
    pub(crate) description: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) target: TargetRecord,
    pub(crate) deletes_itself: bool,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// Of the request that made it.
    pub(crate) client_token: Option<String>,
    /// The id of its waiting job: another one with each plan.
    pub(crate) job_id: String,
    /// When it falls due next, and when its target is then called: later, with a flexible window.
    pub(crate) next_ms: Option<(i64, i64)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ScheduleRecord {}

/// When a schedule falls due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// As it was given.
    pub(crate) expression: String,
    /// A name of the tz database; none is UTC.
    pub(crate) zone: Option<String>,
    pub(crate) start_ms: Option<i64>,
    pub(crate) end_ms: Option<i64>,
    /// From when on a rate counts.
    pub(crate) origin_ms: i64,
    /// Minutes of the flexible window, if it has one.
    pub(crate) window_minutes: Option<i32>,
}

/// What a schedule calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetRecord {
    pub(crate) arn: String,
    pub(crate) role_arn: String,
    pub(crate) input: Option<String>,
    /// For FIFO queues.
    pub(crate) group_id: Option<String>,
    /// For event buses: `DetailType` and `Source`.
    pub(crate) event: Option<(String, String)>,
    pub(crate) dead_letter_arn: Option<String>,
    pub(crate) retry_attempts: i32,
    pub(crate) retry_age_seconds: i32,
}

/// Where the rows of an account in a Region lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

impl Place {
    /// The caller's account in the call's Region.
    pub(crate) fn of(cx: &Cx) -> Place {
        Place { account: cx.account().clone(), region: cx.region.clone() }
    }

    fn rows(&self, kind: &str) -> Path {
        let account = Path::new("scheduler").part(self.account.as_str());
        account.part(self.region.as_str()).part(kind)
    }

    /// The prefix of all groups.
    pub(crate) fn groups(&self) -> Path {
        self.rows("group")
    }

    pub(crate) fn group(&self, name: &str) -> Path {
        self.groups().hidden(name)
    }

    /// The prefix of the schedules of a group, or of all.
    pub(crate) fn schedules(&self, group: Option<&str>) -> Path {
        let all = self.rows("schedule");
        match group {
            Some(group) => all.hidden(group),
            None => all,
        }
    }

    pub(crate) fn schedule(&self, group: &str, name: &str) -> Path {
        self.schedules(Some(group)).hidden(name)
    }

    fn arn(&self, resource: &str) -> String {
        let (account, region) = (&self.account, &self.region);
        format!("arn:{}:scheduler:{region}:{account}:{resource}", region.partition())
    }

    pub(crate) fn schedule_arn(&self, group: &str, name: &str) -> String {
        self.arn(&format!("schedule/{group}/{name}"))
    }

    pub(crate) fn group_arn(&self, name: &str) -> String {
        self.arn(&format!("schedule-group/{name}"))
    }

    /// On whose behalf the targets of a group's schedules are called: roles' trust policies name the
    /// group (User Guide, "Confused deputy prevention in EventBridge Scheduler").
    pub(crate) fn source(&self, group: &str) -> Source {
        Source { arn: self.group_arn(group), account: self.account.clone() }
    }
}
