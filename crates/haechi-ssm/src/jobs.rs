//! What falls due of parameter policies.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Database, Env, Job, JobHandler, Loaded, Region};
use haechi_wire::{Fault, Timestamp};

use crate::events::Happening;
use crate::name::Name;
use crate::policies::{self, Due, Rule};
use crate::store::{ParameterRecord, Place};
use crate::tier::{Counts, Tier, counts};

/// Enforces one policy of one parameter.
pub(crate) struct EnforcePolicy {
    database: Arc<Database>,
    env: Env,
}

impl EnforcePolicy {
    pub(crate) fn new(database: Arc<Database>, env: Env) -> EnforcePolicy {
        EnforcePolicy { database, env }
    }
}

/// Takes a parameter and its versions away.
pub(crate) fn remove(
    batch: &mut Batch,
    place: Place<'_>,
    loaded: &Loaded<ParameterRecord>,
    counts: &Counts,
) {
    let parameter = &loaded.value;
    batch.remove(loaded);
    for version in parameter.oldest..parameter.current.version {
        batch.delete(place.version(&parameter.id, version));
    }
    let tier = Tier::of(&parameter.current.tier);
    counts.moved(batch, place, parameter, Some(tier), None);
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
        let parameter = &loaded.value;
        let policies = &parameter.current.policies;
        let waits = |id: &str| {
            policies.iter().position(|policy| policy.id == id && policy.status == policies::PENDING)
        };
        let position = waits(&due.policy);
        let Some((position, policy)) = position.and_then(|at| Some((at, policies.get(at)?))) else {
            return Ok(batch);
        };
        if policy.job_id(parameter.current.version) != job.id {
            return Ok(batch);
        }
        let happening = Happening { env: &self.env, account: &account, region: &region, time: now };
        let reason = match policy.rule() {
            None => return Ok(batch),
            Some(Rule::Expiration { .. }) => {
                let reason = "The parameter has expired and was deleted.";
                batch.emit(&happening.policy_action(parameter, policy, reason)?)?;
                batch.emit(&happening.change("Delete", parameter)?)?;
                remove(&mut batch, place, &loaded, &counts(&self.database, place).await?);
                return Ok(batch);
            }
            Some(Rule::ExpirationNotification { before_ms }) => {
                format!("The parameter will expire in {}.", span(before_ms))
            }
            Some(Rule::NoChangeNotification { after_ms }) => {
                format!("The parameter has not been changed for {}.", span(after_ms))
            }
        };
        batch.emit(&happening.policy_action(parameter, policy, &reason)?)?;
        let mut next = parameter.clone();
        let current = Arc::make_mut(&mut next.current);
        if let Some(policy) = current.policies.get_mut(position) {
            policies::FINISHED.clone_into(&mut policy.status);
        }
        batch.replace(&loaded, &next);
        Ok(batch)
    }
}
