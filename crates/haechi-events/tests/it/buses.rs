//! Events pass from bus to bus, also to other accounts and Regions.

use std::sync::Arc;

use haechi_core::{Cx, Handle, Operation as _, Region};
use haechi_events_model::ops::{PutPermission, PutRule, PutTargets, UpdateEventBus};
use haechi_events_model::shapes::{
    DeadLetterConfig, PutPermissionRequest, PutRuleRequest, PutTargetsRequest, Target,
    UpdateEventBusRequest,
};
use haechi_testkit::told;

use super::{ACCOUNT, DEAD, Fixture, queue};

const OTHER: &str = "444455556666";
const ROLE: &str = "arn:aws:iam::111122223333:role/sender";
const PUT: &str = r#"{"Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}}"#;

fn bus(account: &str, region: &str, role: Option<&str>) -> Target {
    Target {
        id: "bus".to_owned(),
        arn: format!("arn:aws:events:{region}:{account}:event-bus/default"),
        role_arn: role.map(str::to_owned),
        dead_letter_config: Some(DeadLetterConfig { arn: Some(DEAD.to_owned()) }),
        ..Default::default()
    }
}

/// A queue of the other account.
fn theirs() -> Target {
    Target { arn: format!("arn:aws:sqs:us-east-1:{OTHER}:theirs"), ..queue("theirs") }
}

impl Fixture {
    /// A rule on the default bus of an account and Region that takes every event of `app`.
    async fn rule_of(&self, account: &str, region: &str, target: Target) {
        let root = self.kit.root(account);
        let input = PutRuleRequest {
            name: "there".to_owned(),
            event_pattern: Some(r#"{"source": ["app"]}"#.to_owned()),
            ..Default::default()
        };
        let region = Region::parse(region).unwrap();
        let cx = |schema| {
            let request = self.kit.cx::<PutRule>(&root).request;
            Cx::new(self.kit.env.clone(), request, region.clone(), Arc::clone(&root), schema)
        };
        let there = &*self.events;
        Handle::<PutRule>::handle(there, &cx(PutRule::SCHEMA), input).await.unwrap();
        let (rule, targets) = ("there".to_owned(), vec![target]);
        let input = PutTargetsRequest { rule, targets, ..Default::default() };
        Handle::<PutTargets>::handle(there, &cx(PutTargets::SCHEMA), input).await.unwrap();
    }

    async fn let_in(&self, account: &str, principal: &str) {
        let input = PutPermissionRequest {
            action: Some("events:PutEvents".to_owned()),
            principal: Some(principal.to_owned()),
            statement_id: Some("s".to_owned()),
            ..Default::default()
        };
        let root = self.kit.root(account);
        self.kit.call::<PutPermission, _>(&*self.events, &root, input).await.unwrap();
    }
}

#[tokio::test]
async fn the_policy_of_a_bus_in_another_account_decides() {
    let fixture = Fixture::new().await;
    fixture.rule_of(OTHER, "us-east-1", theirs()).await;
    fixture.rule("rule", vec![bus(OTHER, "us-east-1", None)]).await;
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["dead"]);
    fixture.let_in(OTHER, ACCOUNT).await;
    fixture.put(r#"{"a": 1}"#).await;
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let [(queue, rule, message)] = got.as_slice() else { panic!("{got:?}") };
    assert!(queue.ends_with(":theirs"), "{queue}");
    assert_eq!(rule, "arn:aws:events:us-east-1:444455556666:rule/there");
    let event: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!((event["account"].as_str(), &event["detail"]["a"]), (Some(ACCOUNT), &1.into()));
}

#[tokio::test]
async fn on_each_bus_an_event_has_an_id_of_its_own() {
    let fixture = Fixture::new().await;
    fixture.rule_of(OTHER, "us-east-1", theirs()).await;
    fixture.let_in(OTHER, ACCOUNT).await;
    fixture.rule("rule", vec![bus(OTHER, "us-east-1", None), queue("ours")]).await;
    fixture.put("{}").await;
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let ids: std::collections::BTreeSet<String> = got
        .iter()
        .map(|(_, _, message)| serde_json::from_str::<serde_json::Value>(&message.body).unwrap())
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((got.len(), ids.len()), (2, 2), "{got:?}");
}

#[tokio::test]
async fn a_dead_letter_says_what_happened() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![bus(OTHER, "us-east-1", None)]).await;
    fixture.put("{}").await;
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let letter = &got[0].2;
    let told = |name: &str| letter.attributes.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!(told("RULE_ARN"), "arn:aws:events:us-east-1:111122223333:rule/rule");
    assert_eq!(told("TARGET_ARN"), bus(OTHER, "us-east-1", None).arn);
    assert_eq!(told("ERROR_CODE"), "NO_PERMISSIONS");
    assert!(told("ERROR_MESSAGE").contains("events:PutEvents"), "{}", told("ERROR_MESSAGE"));
    let event: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!(event["source"], "app");
}

#[tokio::test]
async fn a_role_passes_events_on_to_another_region_as_far_as_its_policy_lets_it() {
    let fixture = Fixture::new().await;
    fixture.rule_of(ACCOUNT, "eu-west-1", queue("there")).await;
    let target = bus(ACCOUNT, "eu-west-1", Some(ROLE));
    let weak = fixture.kit.user(ACCOUNT, "weak", &[]);
    fixture.roles.0.lock().unwrap().insert(ROLE.to_owned(), weak);
    fixture.rule("rule", vec![target]).await;
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["dead"], "the role may not");
    fixture.roles.0.lock().unwrap().remove(ROLE);
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["dead"], "there is no such role");
    let strong = fixture.kit.user(ACCOUNT, "strong", &[PUT]);
    fixture.roles.0.lock().unwrap().insert(ROLE.to_owned(), strong);
    fixture.put("{}").await;
    assert_eq!(fixture.got(), ["there"]);
}

#[tokio::test]
async fn a_bus_of_another_region_needs_a_role() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![queue("q")]).await;
    let target = bus(ACCOUNT, "eu-west-1", None);
    let told_arn = target.arn.clone();
    let (rule, targets) = ("rule".to_owned(), vec![target]);
    let input = PutTargetsRequest { rule, targets, ..Default::default() };
    let refused = fixture.kit.call::<PutTargets, _>(&*fixture.events, &fixture.root, input).await;
    let expected = format!("RoleArn is required for target {told_arn}.");
    assert_eq!(told(&refused.err().unwrap()), ("ValidationException", expected));
}

#[tokio::test]
async fn events_that_go_in_circles_between_accounts_end() {
    let fixture = Fixture::new().await;
    fixture.let_in(OTHER, ACCOUNT).await;
    fixture.let_in(ACCOUNT, OTHER).await;
    fixture.rule_of(OTHER, "us-east-1", bus(ACCOUNT, "us-east-1", None)).await;
    fixture.rule("rule", vec![bus(OTHER, "us-east-1", None), queue("q")]).await;
    fixture.put("{}").await;
    let rounds = fixture.got().len();
    assert!((2..10).contains(&rounds), "{rounds}");
}

#[tokio::test]
async fn the_default_bus_is_described_anew() {
    let fixture = Fixture::new().await;
    let input = UpdateEventBusRequest {
        description: Some("ours".to_owned()),
        dead_letter_config: Some(DeadLetterConfig { arn: Some(DEAD.to_owned()) }),
        ..Default::default()
    };
    let call = fixture.kit.call::<UpdateEventBus, _>(&*fixture.events, &fixture.root, input);
    let answer = call.await.unwrap();
    assert_eq!(answer.name.as_deref(), Some("default"));
    assert_eq!(answer.description.as_deref(), Some("ours"));
    assert_eq!(answer.dead_letter_config.unwrap().arn.as_deref(), Some(DEAD));
}
