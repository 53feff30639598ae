//! What falls due of parameter policies, and what is left of parameters that are gone.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Database, Env, Job, JobHandler, Loaded, Region};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::count::{Counting, Rows};
use crate::events::Happening;
use crate::name::Name;
use crate::policies::{self, Due, Rule};
use crate::store::{ParameterRecord, Place, PolicyRecord};
use crate::tier::Tier;

/// Enforces one policy of one parameter.
pub(crate) struct EnforcePolicy {
    database: Arc<Database>,
    env: Env,
    rows: Arc<Rows>,
}

impl EnforcePolicy {
    pub(crate) fn new(database: Arc<Database>, env: Env, rows: Arc<Rows>) -> EnforcePolicy {
        EnforcePolicy { database, env, rows }
    }
}

/// The kind of the jobs that take away versions of parameters that are gone.
pub(crate) const SWEEP: &str = "ssm-sweep";

/// Versions that go in the transaction in which their parameter goes: the store bounds how much one
/// transaction may be.
const REMOVED_AT_ONCE_MAX: i64 = 80;

/// Versions without a parameter. Nobody can read them: they lie under its id.
#[derive(Serialize, Deserialize)]
struct Leftover {
    account: String,
    region: String,
    id: String,
    first: i64,
    end: i64,
}

impl Leftover {
    fn remove(&self, batch: &mut Batch) {
        let place = Place { account: &self.account, region: &self.region };
        for version in self.first..self.end {
            batch.delete(place.version(&self.id, version));
        }
    }
}

/// Takes a parameter and its versions away.
pub(crate) fn remove(
    batch: &mut Batch,
    place: Place<'_>,
    loaded: &Loaded<ParameterRecord>,
    counting: &Counting,
    now: Timestamp,
) -> Result<(), Fault> {
    let parameter = &loaded.value;
    batch.remove(loaded);
    let (first, end) = (parameter.oldest, parameter.current.version);
    let (account, region) = (place.account.to_owned(), place.region.to_owned());
    let mut versions = Leftover { account, region, id: parameter.id.clone(), first, end };
    versions.end = end.min(first + REMOVED_AT_ONCE_MAX);
    versions.remove(batch);
    (versions.first, versions.end) = (versions.end, end);
    if versions.first < end {
        let payload = serde_json::to_string(&versions).map_err(Fault::internal)?;
        batch.schedule(&Job::new(SWEEP, &parameter.id, now, payload));
    }
    let tier = Tier::of(&parameter.current.tier);
    counting.moved(batch, place, Some(tier), None);
    Ok(())
}

/// Takes away the versions that were too many for one transaction.
pub(crate) struct Sweep;

#[async_trait]
impl JobHandler for Sweep {
    async fn run(&self, job: &Job, _now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let left: Leftover = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        left.remove(&mut batch);
        Ok(batch)
    }
}

/// `15 days` of so many milliseconds.
fn span(milliseconds: i64) -> String {
    let hours = milliseconds / 3_600_000;
    if hours % 24 == 0 { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}

#[async_trait]
impl JobHandler for EnforcePolicy {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let due: Due = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let place = Place { account: &due.account, region: &due.region };
        let (account, region) = (AccountId::parse(place.account), Region::parse(place.region));
        let (Some(account), Some(region), Some(name)) = (account, region, Name::parse(&due.name))
        else {
            return Err(Fault::internal("the job of a policy names no parameter"));
        };
        let found = self.database.load::<ParameterRecord>(&place.parameter(&name)).await?;
        let Some(loaded) = found else { return Ok(batch) };
        let current = &loaded.value.current;
        let waits = |policy: &PolicyRecord| {
            policy.id == due.policy
                && policy.status == policies::PENDING
                && policy.job_id(current.version) == job.id
        };
        if !current.policies.iter().any(waits) {
            return Ok(batch);
        }
        let happening = Happening { env: &self.env, account: &account, region: &region, time: now };
        // Jobs that are made up for come in no order; policies do.
        let fallen = policies::fallen_due(current, now);
        let gone = enforce(happening, &loaded, &fallen, &mut batch)?;
        if gone {
            let counting = Counting::load(&self.database, &self.rows, place).await?;
            remove(&mut batch, place, &loaded, &counting, now)?;
        }
        Ok(batch)
    }
}

/// Enforces policies, one after the other; answers whether the parameter is to be removed.
fn enforce(
    mut happening: Happening<'_>,
    loaded: &Loaded<ParameterRecord>,
    fallen: &[usize],
    batch: &mut Batch,
) -> Result<bool, Fault> {
    let parameter = &loaded.value;
    let mut next = parameter.clone();
    let current = Arc::make_mut(&mut next.current);
    for at in fallen {
        let Some(policy) = current.policies.get_mut(*at) else { continue };
        let reason = match policy.rule() {
            None => continue,
            Some(Rule::Expiration { .. }) => {
                let reason = "The parameter has expired and was deleted.";
                batch.emit(&happening.policy_action(parameter, policy, reason)?)?;
                batch.emit(&happening.change("Delete", parameter)?)?;
                return Ok(true);
            }
            Some(Rule::ExpirationNotification { before_ms }) => {
                format!("The parameter will expire in {}.", span(before_ms))
            }
            Some(Rule::NoChangeNotification { after_ms }) => {
                format!("The parameter has not been changed for {}.", span(after_ms))
            }
        };
        batch.emit(&happening.policy_action(parameter, policy, &reason)?)?;
        policies::FINISHED.clone_into(&mut policy.status);
        // Events of one millisecond are in no order.
        happening.time = Timestamp::from_millis(happening.time.millis() + 1);
    }
    batch.replace(loaded, &next);
    Ok(false)
}
