//! Events pass from a bus to one of another account or Region: in the name of the target's role, or
//! of the rule's account; the policy of the other bus decides.

use std::sync::Arc;

use haechi_core::event::EVENT_JOB;
use haechi_core::{Ask, Batch, Caller, Cx, Event, Job, Operation as _, RoleSession};
use haechi_events_model::ops::PutEvents;
use haechi_policy::{Principal, ResourceRule};
use haechi_wire::{Fault, Timestamp};

use crate::Events;
use crate::bus::{self, EventContext};
use crate::delivery::{Delivery, Refusal};
use crate::matching::Bus;

/// Puts a delivery's event on the other bus.
pub(crate) async fn pass_on(
    events: &Arc<Events>,
    job: &Job,
    delivery: &Delivery,
    bus: &Bus,
    now: Timestamp,
    batch: &mut Batch,
) -> Result<(), Refusal> {
    let internal = |error: serde_json::Error| Refusal::Temporary(Fault::internal(error));
    let event: Event = serde_json::from_str(&delivery.message.body).map_err(internal)?;
    let cx = events.sender(delivery, bus).await?;
    let policy = events.bus_policy(&bus.account, &bus.region, &bus.name).await;
    let Some(policy) = policy.map_err(Refusal::of)? else {
        return Err(Refusal::gone(format!("Event bus {} does not exist.", bus.name)));
    };
    let arn = bus::full_arn((&bus.account, &bus.region), &bus.name);
    let context =
        EventContext { source: &event.source, detail_type: &event.detail_type, is_passed_on: true };
    let decided = cx.authorize(&Ask {
        action: PutEvents::SCHEMA.action,
        resource: &arn,
        resource_account: bus.account.as_str(),
        policy: policy.as_ref().as_ref(),
        rule: ResourceRule::Union,
        context: &context,
    });
    decided.map_err(Refusal::of)?;
    let mut passed_on = event.on(&bus.account, &bus.region, &bus.name);
    // It is an event of its own there (recorded between Regions).
    let id = events.env.uuid().map_err(|error| Refusal::Temporary(Fault::internal(error)))?;
    passed_on.id = id.to_string();
    let payload = serde_json::to_string(&passed_on).map_err(internal)?;
    batch.schedule(&Job::at_once(EVENT_JOB, &job.id, now, payload));
    Ok(())
}

/// What a dead letter tells: what the target would have got.
pub(crate) fn letter(delivery: &Delivery) -> String {
    let body = &delivery.message.body;
    let event = Bus::parse(&delivery.message.target_arn)
        .and_then(|_| serde_json::from_str::<Event>(body).ok());
    event.map_or_else(|| body.clone(), |event| event.json().to_string())
}

impl Events {
    /// Who passes an event on: a session of the target's role, else the rule's account.
    async fn sender(&self, delivery: &Delivery, bus: &Bus) -> Result<Cx, Refusal> {
        let region = bus.region.clone();
        if let Some(role) = &delivery.role_arn {
            let source = delivery.source();
            let session = self.around.roles.assume("events", &source, &region, role).await;
            let session = session.map_err(Refusal::of_role)?;
            return session.cx(&self.env, region, PutEvents::SCHEMA).map_err(Refusal::of);
        }
        let account = delivery.account.clone();
        let arn = format!("arn:{}:iam::{account}:root", region.partition());
        let principal = Principal::Root { arn, account: account.to_string() };
        let user_id = account.to_string();
        let caller = Caller { principal, account, user_id, ..Caller::anonymous() };
        let (caller, guardrails) = (Arc::new(caller), Arc::default());
        let session = RoleSession { caller, guardrails, service: "events".to_owned() };
        session.cx(&self.env, region, PutEvents::SCHEMA).map_err(Refusal::of)
    }
}
