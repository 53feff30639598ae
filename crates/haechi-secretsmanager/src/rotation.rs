//! What a secret knows of its rotation, and the job by which one begins.
//!
//! Built-in rotators need no function. A secret names one in `RotationLambdaARN`, as the ARN of a
//! function that nobody can create: `arn:aws:lambda:<Region>:<account>:function:haechi-rotate-…`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Database, Env, Job, JobHandler, Region};
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::engine::{RotatingRow, rotating_path};
use crate::schedule::Rules;
use crate::secret::{CURRENT, PENDING, SecretRecord};
use crate::store::secret_path;

/// The kind of the job.
pub(crate) const ROTATE_SECRET: &str = "secretsmanager-rotate";

/// What the names of the functions begin with that stand for built-in rotators.
pub const BUILT_IN_PREFIX: &str = "haechi-rotate-";

/// Minutes until a rotation that failed is tried again: doubled each time, an hour at the most.
const RETRY_MINUTES: i64 = 1;
const RETRY_MINUTES_MAX: i64 = 60;

/// The rotation of a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) enabled: bool,
    pub(crate) lambda_arn: String,
    pub(crate) rules: Rules,
    pub(crate) last_ms: Option<i64>,
    /// When a value was last put by hand, which counts as a rotation where days rule.
    #[serde(default)]
    pub(crate) by_hand_ms: Option<i64>,
    /// Start and end of the next window.
    pub(crate) next_ms: Option<(i64, i64)>,
    /// When the waiting job is due: at the window's start, or for another try.
    pub(crate) due_ms: Option<i64>,
    /// Failures since the last success.
    pub(crate) failures: u32,
    pub(crate) running: Option<Running>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A rotation that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The id of the version that it makes.
    pub(crate) token: String,
    pub(crate) step: Step,
}

/// The step that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// createSecret: a version with `AWSPENDING`.
    Create,
    /// setSecret; of a built-in rotator also testSecret and finishSecret. Each can be done again.
    Set,
    /// testSecret, of a function.
    Test,
    /// finishSecret, of a function.
    Finish,
    /// testSecret alone: whether the function can be called, where it is not to rotate yet.
    Probe,
}

/// The ARN that stands for a built-in rotator.
pub fn built_in_arn(region: &Region, account: &AccountId, name: &str) -> String {
    let partition = region.partition();
    format!("arn:{partition}:lambda:{region}:{account}:function:{BUILT_IN_PREFIX}{name}")
}

/// The built-in rotator that an ARN stands for, if it is this account's and Region's.
pub(crate) fn built_in<'a>(arn: &'a str, region: &str, account: &str) -> Option<&'a str> {
    let mut parts = arn.splitn(7, ':');
    let ("arn", _, "lambda") = (parts.next()?, parts.next()?, parts.next()?) else { return None };
    if parts.next()? != region || parts.next()? != account || parts.next()? != "function" {
        return None;
    }
    parts.next()?.strip_prefix(BUILT_IN_PREFIX)
}

impl Rotation {
    /// What days count from.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.last_ms.max(self.by_hand_ms).map(Timestamp::from_millis)
    }

    /// The next window by the rules. `AutomaticallyAfterDays` counts from the last rotation, and what
    /// is overdue by it begins tomorrow; expressions count from now (API Reference,
    /// RotationRulesType).
    pub(crate) fn plan(&mut self, last: Timestamp, now: Timestamp) {
        let after = match self.rules.after_days {
            Some(days) => last.max(now.plus_seconds((1 - days) * 24 * 60 * 60)),
            None => now,
        };
        let schedule = self.rules.schedule().ok().flatten();
        let window = schedule.and_then(|schedule| schedule.next(after));
        self.next_ms = window.map(|window| (window.start.millis(), window.end.millis()));
        self.due_ms = self.next_ms.map(|(start, _)| start);
    }

    /// When a rotation that has failed is tried again: not later than the next window.
    pub(crate) fn put_off(&mut self, now: Timestamp) {
        let doubled = RETRY_MINUTES << self.failures.min(6);
        self.failures = self.failures.saturating_add(1);
        let retry = now.plus_seconds(60 * doubled.min(RETRY_MINUTES_MAX)).millis();
        self.due_ms = Some(match self.next_ms {
            Some((start, _)) if start > now.millis() => retry.min(start),
            _ => retry,
        });
    }
}

impl SecretRecord {
    /// The job that begins the next rotation.
    pub(crate) fn rotation_job(&self) -> Option<Job> {
        let rotation = self.rotation.as_ref().filter(|rotation| rotation.enabled)?;
        let due = Timestamp::from_millis(rotation.due_ms?);
        let id = format!("{}.{}.{}", self.account, self.region, self.key);
        let payload = format!("{}/{}/{}", self.account, self.region, self.key);
        Some(Job::new(ROTATE_SECRET, &id, due, payload))
    }

    /// Begins a rotation, and tells of it; one that was not completed goes on with its own version.
    /// Answers the id of the version that it makes.
    pub(crate) fn begin_rotation(
        &mut self,
        token: String,
        at: (&Env, Timestamp),
        batch: &mut Batch,
    ) -> Result<String, Fault> {
        let left = self.labelled(PENDING).filter(|id| self.labelled(CURRENT) != Some(*id));
        let token = left.map_or(token, str::to_owned);
        let row = RotatingRow::of(self);
        if row.function {
            // Functions find the version there and give it a value.
            self.reserve(&token, at.1).map_err(|error| match error {
                Error::Fault(fault) => fault,
                other => Fault::Validation(haechi_wire::Problem::from(other).message()),
            })?;
        }
        let Some(rotation) = &mut self.rotation else {
            return Err(Fault::internal("a rotation of a secret that has none"));
        };
        rotation.running = Some(Running { token: token.clone(), step: Step::Create });
        batch.put(rotating_path(self), &row);
        self.tell_rotation(at, "RotationStarted", &token, None, batch)?;
        Ok(token)
    }

    /// Gives a rotation up whose version a value put by hand has overtaken: going on with it would
    /// undo what was put.
    pub(crate) fn abandon_rotation(
        &mut self,
        at: (&Env, Timestamp),
        current: &str,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let pending = self.labelled(PENDING).filter(|id| *id != current).map(str::to_owned);
        let (Some(rotation), Some(pending)) = (&mut self.rotation, pending) else { return Ok(()) };
        let was_running = rotation.running.take().is_some();
        // Begun by its job, which is gone.
        if was_running && rotation.due_ms.is_some_and(|due_ms| due_ms <= at.1.millis()) {
            rotation.plan(at.1, at.1);
        }
        if was_running {
            batch.delete(rotating_path(self));
            schedule_next(self.rotation_job(), batch);
        }
        self.detach(PENDING);
        self.tell_rotation(at, "RotationAbandoned", &pending, None, batch)
    }

    /// A value was put by hand: where `AutomaticallyAfterDays` rules, that counts as a rotation, and
    /// the next one is that much later (API Reference, RotationRulesType).
    pub(crate) fn count_by_hand(&mut self, now: Timestamp, batch: &mut Batch) {
        let Some(rotation) = &mut self.rotation else { return };
        rotation.by_hand_ms = Some(now.millis());
        if rotation.enabled && rotation.rules.after_days.is_some() {
            rotation.failures = 0;
            rotation.plan(now, now);
            schedule_next(self.rotation_job(), batch);
        }
    }

    /// Begins a try of the function alone, and tells of it.
    pub(crate) fn begin_probe(
        &mut self,
        token: &str,
        at: (&Env, Timestamp),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let row = RotatingRow::of(self);
        if !row.function || self.labelled(PENDING).is_some() || self.reserve(token, at.1).is_err() {
            return Ok(());
        }
        if let Some(rotation) = &mut self.rotation {
            rotation.running = Some(Running { token: token.to_owned(), step: Step::Probe });
            batch.put(rotating_path(self), &row);
        }
        self.tell_rotation(at, "TestRotationStarted", token, None, batch)
    }

    /// Whether its rotation is by a function of a user's.
    pub(crate) fn is_rotated_by_function(&self) -> bool {
        let arn = self.rotation.as_ref().map(|rotation| rotation.lambda_arn.as_str());
        arn.is_some_and(|arn| built_in(arn, &self.region, &self.account).is_none())
    }
}

fn schedule_next(job: Option<Job>, batch: &mut Batch) {
    if let Some(job) = job {
        batch.schedule(&job);
    }
}

/// Begins rotations that fall due.
pub(crate) struct BeginRotation {
    pub(crate) database: Arc<Database>,
    pub(crate) env: Env,
    pub(crate) rotate: Arc<Notify>,
}

#[async_trait]
impl JobHandler for BeginRotation {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let mut parts = job.payload.split('/');
        let (Some(account), Some(region), Some(key)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::internal(format!("a job without a secret: {}", job.id)));
        };
        let path = secret_path(account, region, key);
        let Some(row) = self.database.load::<SecretRecord>(&path).await? else { return Ok(batch) };
        let mut record = row.value.clone();
        let due = record.rotation_job().is_some_and(|wanted| wanted.due_ms == job.due_ms);
        let running = record.rotation.as_ref().is_some_and(|rotation| rotation.running.is_some());
        // Cancelled, ordered anew, begun already, or on its way out.
        if !due || running || record.deletion_ms.is_some() {
            return Ok(batch);
        }
        let token = self.env.uuid().map_err(Fault::internal)?.to_string();
        record.begin_rotation(token, (&self.env, now), &mut batch)?;
        batch.replace(&row, &record);
        self.rotate.notify_one();
        Ok(batch)
    }
}

/// No rotation yet.
pub(crate) fn new(lambda_arn: String) -> Rotation {
    Rotation {
        enabled: false,
        lambda_arn,
        rules: Rules::default(),
        last_ms: None,
        by_hand_ms: None,
        next_ms: None,
        due_ms: None,
        failures: 0,
        running: None,
        unknown: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_of_this_account_and_region_stand_for_rotators() {
        let (region, account) = (Region::parse("eu-west-1"), AccountId::parse("111122223333"));
        let arn = built_in_arn(&region.unwrap(), &account.unwrap(), "http");
        assert_eq!(built_in(&arn, "eu-west-1", "111122223333"), Some("http"));
        assert_eq!(built_in(&arn, "eu-west-2", "111122223333"), None);
        assert_eq!(built_in(&arn, "eu-west-1", "444455556666"), None);
        let own = "arn:aws:lambda:eu-west-1:111122223333:function:mine";
        assert_eq!(built_in(own, "eu-west-1", "111122223333"), None);
    }

    #[test]
    fn tries_come_less_and_less_often_but_not_after_the_next_window() {
        let mut rotation = new(String::new());
        let now = Timestamp::from_seconds(1_767_225_600);
        let minutes: Vec<i64> = (0..9)
            .map(|_| {
                rotation.put_off(now);
                (rotation.due_ms.unwrap() - now.millis()) / 60_000
            })
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let soon = now.plus_seconds(300).millis();
        rotation.next_ms = Some((soon, soon + 1));
        rotation.put_off(now);
        assert_eq!(rotation.due_ms, Some(soon));
    }
}
