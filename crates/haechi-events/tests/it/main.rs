//! Events on their way, with targets that do as the test says.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod api_destinations;
mod buses;
mod deliveries;
mod outside;
mod permissions;
mod schedules;
mod targets;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{Caller, Region, RoleSession, ServiceRoles, Source};
use haechi_events::{Events, Message, Refusal, Surroundings, Targets};
use haechi_events_model::ops::{PutEvents, PutRule, PutTargets};
use haechi_events_model::shapes::{
    PutEventsRequest, PutEventsRequestEntry, PutRuleRequest, PutTargetsRequest, Target,
};
use haechi_testkit::Kit;
use haechi_wire::Fault;

const ACCOUNT: &str = "111122223333";
const DEAD: &str = "arn:aws:sqs:us-east-1:111122223333:dead";

/// Queues by ARN: how often each refuses still, and what it got.
#[derive(Default)]
struct Queues {
    down: Mutex<BTreeMap<String, u32>>,
    closed: Mutex<Vec<String>>,
    got: Mutex<Vec<(String, String, Message)>>,
}

#[async_trait]
impl Targets for Queues {
    fn has(&self, service: &str) -> bool {
        service == "sqs"
    }

    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let arn = &message.target_arn;
        if self.closed.lock().unwrap().contains(arn) {
            return Err(Refusal::denied("the policy does not allow it"));
        }
        if let Some(left) = self.down.lock().unwrap().get_mut(arn).filter(|left| **left > 0) {
            *left -= 1;
            return Err(Refusal::Temporary(Fault::internal("down")));
        }
        self.got.lock().unwrap().push((arn.clone(), rule.arn, message.clone()));
        Ok(())
    }

    async fn deliver_as(&self, role: &RoleSession, message: &Message) -> Result<(), Refusal> {
        let (arn, by) = (message.target_arn.clone(), role.caller.arn().to_owned());
        self.got.lock().unwrap().push((arn, by, message.clone()));
        Ok(())
    }
}

/// Roles by ARN, with the caller that each makes.
#[derive(Default)]
struct Roles(Mutex<BTreeMap<String, Arc<Caller>>>);

#[async_trait]
impl ServiceRoles for Roles {
    async fn assume(
        &self,
        service: &'static str,
        source: &Source,
        _: &Region,
        role_arn: &str,
    ) -> Result<RoleSession, Fault> {
        assert!(source.arn.contains(":rule/"));
        let caller = self.0.lock().unwrap().get(role_arn).cloned();
        let caller = caller.ok_or_else(|| Fault::AccessDenied("no such role".to_owned()))?;
        Ok(RoleSession { caller, guardrails: Arc::default(), service: service.to_owned() })
    }
}

struct Fixture {
    kit: Kit,
    events: Arc<Events>,
    queues: Arc<Queues>,
    roles: Arc<Roles>,
    vault: Arc<outside::Vault>,
    web: Arc<outside::Web>,
    root: Arc<Caller>,
}

impl Fixture {
    async fn new() -> Fixture {
        let (kit, queues) = (Kit::new().await, Arc::new(Queues::default()));
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let roles = Arc::new(Roles::default());
        let (targets, in_name) = (Arc::clone(&queues) as _, Arc::clone(&roles) as _);
        let (vault, web) = (Arc::new(outside::Vault::default()), Arc::new(outside::Web::default()));
        let (secrets, http) = (Arc::clone(&vault) as _, Arc::clone(&web) as _);
        let around = Surroundings { targets, roles: in_name, secrets, http };
        let events = Events::new(database, kit.env.clone(), jobs, around);
        let root = kit.root(ACCOUNT);
        Fixture { kit, events, queues, roles, vault, web, root }
    }

    async fn rule(&self, name: &str, targets: Vec<Target>) {
        let input = PutRuleRequest {
            name: name.to_owned(),
            event_pattern: Some(r#"{"source": ["app"]}"#.to_owned()),
            ..Default::default()
        };
        self.kit.call::<PutRule, _>(&*self.events, &self.root, input).await.unwrap();
        let rule = name.to_owned();
        let input = PutTargetsRequest { rule, targets, ..Default::default() };
        self.kit.call::<PutTargets, _>(&*self.events, &self.root, input).await.unwrap();
    }

    async fn put(&self, detail: &str) {
        let entry = PutEventsRequestEntry {
            source: Some("app".to_owned()),
            detail_type: Some("test".to_owned()),
            detail: Some(detail.to_owned()),
            ..Default::default()
        };
        let input = PutEventsRequest { entries: vec![entry], ..Default::default() };
        let answer = self.kit.call::<PutEvents, _>(&*self.events, &self.root, input).await.unwrap();
        assert_eq!(answer.failed_entry_count, Some(0));
        self.kit.jobs.run_due().await.unwrap();
    }

    /// Names of the queues that got something, in order of name.
    fn got(&self) -> Vec<String> {
        let got = std::mem::take(&mut *self.queues.got.lock().unwrap());
        let name = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = got.iter().map(|(arn, ..)| name(arn)).collect();
        names.sort_unstable();
        names
    }
}

fn queue(name: &str) -> Target {
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}");
    Target { id: name.to_owned(), arn, ..Default::default() }
}
