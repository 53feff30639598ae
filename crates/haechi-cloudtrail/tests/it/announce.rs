//! EventBridge is told of calls that a trail keeps and a rule wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::event::{API_CALL, EVENT_JOB, Listeners};
use haechi_core::{AccountId, Batch, Event, Job, JobHandler, Region};
use haechi_wire::{Fault, Timestamp};

use crate::world::World;

/// Wants what is not called `Unwanted`, in one Region.
struct Rules;

#[async_trait]
impl Listeners for Rules {
    async fn is_anybody_there(&self, _: &AccountId, region: &Region) -> Result<bool, Fault> {
        Ok(region.as_str() == "us-east-1")
    }

    async fn want(&self, event: &Event) -> Result<bool, Fault> {
        Ok(event.detail["eventName"] != "Unwanted")
    }
}

/// Keeps the events that come.
#[derive(Default)]
struct Bus(Mutex<Vec<Event>>);

#[async_trait]
impl JobHandler for Bus {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        self.0.lock().unwrap().push(Event::of(job)?);
        Ok(Batch::new())
    }
}

impl Bus {
    fn names(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let mut names: Vec<String> =
            events.iter().map(|event| event.detail["eventName"].as_str().unwrap().into()).collect();
        names.sort();
        names
    }
}

/// Runs jobs until so many events have come in all.
async fn arrived(world: &World, bus: &Bus, count: usize) {
    let arrived = async {
        while bus.0.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
            world.kit.jobs.run_due().await.expect("jobs run");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), arrived).await.expect("the events come");
}

/// Lets a node come so far that it knows where its log ends.
async fn begin(world: &World) {
    let telling = world.cloudtrail.announce_calls(Arc::new(Rules));
    assert!(tokio::time::timeout(Duration::from_millis(300), telling).await.is_err());
}

#[tokio::test]
async fn calls_that_a_trail_keeps_and_a_rule_wants_are_told_of_once() {
    let world = World::new().await;
    let bus = Arc::new(Bus::default());
    world.kit.jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
    world.logging("main", true).await;
    world.event("Before");
    let telling = world.cloudtrail.announce_calls(Arc::new(Rules));
    let working = async {
        // It knows where the log ended by now.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for name in ["First", "Unwanted", "Second"] {
            world.event(name);
        }
        world.record(crate::world::ACCOUNT, "eu-west-1", "NobodyListens");
        world.record("444455556666", "us-east-1", "NoTrail");
        arrived(&world, &bus, 2).await;
    };
    tokio::select! { () = telling => {}, () = working => {} }
    assert_eq!(bus.names(), ["First", "Second"]);
    let told = bus.0.lock().unwrap()[0].clone();
    assert_eq!((told.source.as_str(), told.detail_type.as_str()), ("aws.kms", API_CALL));
    assert_eq!(told.detail["recipientAccountId"], crate::world::ACCOUNT);
    // A node that starts again goes on where it was.
    world.event("Third");
    let telling = world.cloudtrail.announce_calls(Arc::new(Rules));
    tokio::select! { () = telling => {}, () = arrived(&world, &bus, 3) => {} }
    assert_eq!(bus.names(), ["First", "Second", "Third"]);
}

#[tokio::test]
async fn without_a_trail_that_logs_nobody_is_told() {
    let world = World::new().await;
    let bus = Arc::new(Bus::default());
    world.kit.jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
    begin(&world).await;
    world.event("Call");
    begin(&world).await;
    world.kit.jobs.run_due().await.expect("jobs run");
    assert!(bus.names().is_empty());
}
