//! Schedules in time, with targets that do as the test says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod falling_due;
mod groups;
mod refusals;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{Caller, Region, RoleSession, ServiceRoles, Source};
use haechi_scheduler::{Call, Calls, Refusal, Scheduler};
use haechi_scheduler_model::ops::{CreateSchedule, GetSchedule};
use haechi_scheduler_model::shapes::{
    CreateScheduleInput, FlexibleTimeWindow, FlexibleTimeWindowMode, GetScheduleInput,
    GetScheduleOutput, Target,
};
use haechi_testkit::{Kit, told};
use haechi_wire::Fault;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/caller";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:q";

/// What was called, and what goes wrong still.
#[derive(Default)]
struct World {
    made: Mutex<Vec<Call>>,
    /// Refusals that are yet to come, the last first.
    refusals: Mutex<Vec<Refusal>>,
    roles: Mutex<BTreeMap<String, Arc<Caller>>>,
}

#[async_trait]
impl Calls for World {
    fn has(&self, service: &str, operation: &str) -> bool {
        matches!(
            (service, operation),
            ("sqs", "SendMessage" | "PurgeQueue") | ("events", "PutEvents")
        )
    }

    async fn call(&self, _: &RoleSession, _: &Region, call: &Call) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusals.lock().unwrap().pop() {
            return Err(refusal);
        }
        self.made.lock().unwrap().push(call.clone());
        Ok(())
    }
}

#[async_trait]
impl ServiceRoles for World {
    async fn assume(
        &self,
        service: &'static str,
        source: &Source,
        _: &Region,
        role_arn: &str,
    ) -> Result<RoleSession, Fault> {
        assert_eq!(service, "scheduler");
        assert!(source.arn.contains(":schedule-group/"), "{}", source.arn);
        let caller = self.roles.lock().unwrap().get(role_arn).cloned();
        let caller = caller.ok_or_else(|| Fault::AccessDenied("no such role".to_owned()))?;
        Ok(RoleSession { caller, guardrails: Arc::default(), service: service.to_owned() })
    }
}

struct Fixture {
    kit: Kit,
    scheduler: Arc<Scheduler>,
    world: Arc<World>,
    root: Arc<Caller>,
}

impl Fixture {
    async fn new() -> Fixture {
        let (kit, world) = (Kit::new().await, Arc::new(World::default()));
        world.roles.lock().unwrap().insert(ROLE.to_owned(), kit.user(ACCOUNT, "role", &[]));
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let (roles, calls) = (Arc::clone(&world) as _, Arc::clone(&world) as _);
        let scheduler = Scheduler::new(database, kit.env.clone(), jobs, roles, calls);
        let root = kit.root(ACCOUNT);
        Fixture { kit, scheduler, world, root }
    }

    async fn create(&self, input: CreateScheduleInput) -> Result<(), (&'static str, String)> {
        let made = self.kit.call::<CreateSchedule, _>(&*self.scheduler, &self.root, input).await;
        made.map(|_| ()).map_err(|problem| told(&problem))
    }

    async fn get(&self, name: &str) -> Option<GetScheduleOutput> {
        let input = GetScheduleInput { name: name.to_owned(), ..Default::default() };
        self.kit.call::<GetSchedule, _>(&*self.scheduler, &self.root, input).await.ok()
    }

    /// Time passes in one step.
    async fn advance(&self, seconds: i64) {
        self.kit.clock.advance(seconds);
        self.kit.jobs.run_due().await.unwrap();
    }

    /// How many calls were made since the last time that this was asked, time going on second by
    /// second.
    async fn calls_in(&self, seconds: i64) -> usize {
        for _ in 0..seconds {
            self.advance(1).await;
        }
        self.calls().len()
    }

    /// The calls that were made since the last time that this was asked.
    fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.world.made.lock().unwrap())
    }
}

fn off() -> FlexibleTimeWindow {
    FlexibleTimeWindow { mode: FlexibleTimeWindowMode::Off, maximum_window_in_minutes: None }
}

fn target() -> Target {
    Target { arn: QUEUE.to_owned(), role_arn: ROLE.to_owned(), ..Default::default() }
}

fn schedule(expression: &str) -> CreateScheduleInput {
    CreateScheduleInput {
        name: "s".to_owned(),
        schedule_expression: expression.to_owned(),
        target: target(),
        flexible_time_window: off(),
        ..Default::default()
    }
}
