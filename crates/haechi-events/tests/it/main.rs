//! Events on their way, with targets that do as the test says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{Caller, Source};
use haechi_events::{Events, Message, Refusal, Targets};
use haechi_events_model::ops::{PutEvents, PutRule, PutTargets};
use haechi_events_model::shapes::{
    DeadLetterConfig, PutEventsRequest, PutEventsRequestEntry, PutRuleRequest, PutTargetsRequest,
    RetryPolicy, Target,
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
    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let arn = &message.target_arn;
        if self.closed.lock().unwrap().contains(arn) {
            return Err(Refusal::Permanent("the policy does not allow it".to_owned()));
        }
        if let Some(left) = self.down.lock().unwrap().get_mut(arn).filter(|left| **left > 0) {
            *left -= 1;
            return Err(Refusal::Temporary(Fault::internal("down")));
        }
        self.got.lock().unwrap().push((arn.clone(), rule.arn, message.clone()));
        Ok(())
    }
}

struct Fixture {
    kit: Kit,
    events: Arc<Events>,
    queues: Arc<Queues>,
    root: Arc<Caller>,
}

impl Fixture {
    async fn new() -> Fixture {
        let (kit, queues) = (Kit::new().await, Arc::new(Queues::default()));
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let events = Events::new(database, kit.env.clone(), jobs, Arc::clone(&queues) as _);
        let root = kit.root(ACCOUNT);
        Fixture { kit, events, queues, root }
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

#[tokio::test]
async fn every_target_of_every_rule_that_matches_gets_an_event_once() {
    let fixture = Fixture::new().await;
    let mut expected = Vec::new();
    // More than one transaction holds.
    for rule in 0..40 {
        let names: Vec<String> = (0..5).map(|number| format!("q-{rule:02}-{number}")).collect();
        fixture.rule(&format!("rule-{rule}"), names.iter().map(|name| queue(name)).collect()).await;
        expected.extend(names);
    }
    fixture.put("{}").await;
    assert_eq!(fixture.got(), expected);
    let long = format!(r#"{{"text": "{}"}}"#, "x".repeat(200_000));
    fixture.put(&long).await;
    assert_eq!(fixture.got(), expected);
}

#[tokio::test]
async fn a_rule_counts_from_the_moment_when_it_is_written() {
    let fixture = Fixture::new().await;
    fixture.put("{}").await;
    fixture.rule("first", vec![queue("a")]).await;
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["a"]);
    fixture.rule("second", vec![queue("b")]).await;
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["a", "b"]);
}

#[tokio::test]
async fn a_target_that_is_down_gets_the_event_later() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![queue("a"), queue("b")]).await;
    fixture.queues.down.lock().unwrap().insert(queue("a").arn, 3);
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["b"]);
    for _ in 0..20 {
        fixture.kit.clock.advance(1);
        fixture.kit.jobs.run_due().await.unwrap();
    }
    assert_eq!(fixture.got(), ["a"]);
}

#[tokio::test]
async fn an_event_that_is_too_old_or_was_refused_becomes_a_dead_letter() {
    let fixture = Fixture::new().await;
    let dead = DeadLetterConfig { arn: Some(DEAD.to_owned()) };
    let retry =
        RetryPolicy { maximum_event_age_in_seconds: Some(60), maximum_retry_attempts: Some(185) };
    let down = Target {
        dead_letter_config: Some(dead.clone()),
        retry_policy: Some(retry),
        ..queue("down")
    };
    let closed = Target { dead_letter_config: Some(dead), ..queue("closed") };
    fixture.rule("rule", vec![down, closed]).await;
    fixture.queues.down.lock().unwrap().insert(queue("down").arn, 1000);
    fixture.queues.closed.lock().unwrap().push(queue("closed").arn);
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["dead"], "what a policy refuses is not tried again");
    for _ in 0..60 {
        fixture.kit.clock.advance(1);
        fixture.kit.jobs.run_due().await.unwrap();
    }
    assert_eq!(fixture.got(), ["dead"]);
}

#[tokio::test]
async fn an_event_that_goes_in_circles_ends() {
    let fixture = Fixture::new().await;
    let arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default");
    let bus = Target { id: "bus".to_owned(), arn, ..Default::default() };
    fixture.rule("rule", vec![bus, queue("q")]).await;
    fixture.put("{}").await;
    let rounds = fixture.got().len();
    assert!((2..20).contains(&rounds), "{rounds}");
}
