//! From the bus to the targets.

use haechi_events_model::ops::PutEvents;
use haechi_events_model::shapes::{
    DeadLetterConfig, PutEventsRequest, PutEventsRequestEntry, RetryPolicy, Target,
};
use serde_json::Value;

use super::{ACCOUNT, DEAD, Fixture, queue};

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

#[tokio::test]
async fn a_target_with_a_role_gets_events_in_the_roles_name_and_a_dead_letter_in_the_rules() {
    let fixture = Fixture::new().await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/sender");
    let dead = DeadLetterConfig { arn: Some(DEAD.to_owned()) };
    let arn = "arn:aws:sqs:us-east-1:444455556666:theirs".to_owned();
    let (role_arn, dead_letter_config) = (Some(role.clone()), Some(dead));
    let theirs = Target { arn, role_arn, dead_letter_config, ..queue("theirs") };
    // Whoever may use the role is told by its name here.
    let sender = fixture.kit.root("777788889999");
    fixture.roles.0.lock().unwrap().insert(role.clone(), std::sync::Arc::clone(&sender));
    fixture.rule("rule", vec![theirs.clone()]).await;
    fixture.put("{}").await;
    let by = fixture.queues.got.lock().unwrap().first().map(|(_, by, _)| by.clone());
    assert_eq!(by.as_deref(), Some(sender.arn()));
    assert_eq!(fixture.got(), ["theirs"]);
    fixture.roles.0.lock().unwrap().remove(&role);
    fixture.put("{}").await;
    let letter = fixture.queues.got.lock().unwrap().first().cloned().unwrap();
    assert!(letter.1.ends_with(":rule/rule"));
    assert_eq!(letter.2.attributes["ERROR_CODE"], "FAILED_TO_ASSUME_ROLE");
    assert_eq!(fixture.got(), ["dead"], "a role that is gone sends nothing");
}

#[tokio::test]
async fn nothing_goes_to_another_account_without_a_role() {
    let fixture = Fixture::new().await;
    let arn = "arn:aws:sqs:us-east-1:444455556666:theirs".to_owned();
    let dead = DeadLetterConfig { arn: Some(DEAD.to_owned()) };
    let theirs = Target { arn, dead_letter_config: Some(dead), ..queue("theirs") };
    fixture.rule("rule", vec![theirs]).await;
    fixture.put("{}").await;
    let told = fixture.queues.got.lock().unwrap().first().map(|(_, _, letter)| letter.clone());
    let told = told.unwrap().attributes;
    assert_eq!(told.get("ERROR_CODE").map(String::as_str), Some("NO_PERMISSIONS"));
    assert_eq!(fixture.got(), ["dead"]);
}

/// A detail of so many levels.
fn nested(levels: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
}

#[tokio::test]
async fn an_event_that_nests_as_deep_as_one_may_reaches_all_and_a_deeper_one_is_refused() {
    let fixture = Fixture::new().await;
    let entry = |detail: String| PutEventsRequestEntry {
        source: Some("app".to_owned()),
        detail_type: Some("test".to_owned()),
        detail: Some(detail),
        ..Default::default()
    };
    // More than one transaction holds: what is left of it is wrapped once more.
    for rule in 0..13 {
        let targets = (0..5).map(|number| queue(&format!("q-{rule}-{number}"))).collect();
        fixture.rule(&format!("rule-{rule}"), targets).await;
    }
    fixture.put(&nested(100)).await;
    assert_eq!(fixture.got().len(), 65);
    let entries = vec![entry(nested(101)), entry(nested(127)), entry(nested(1000))];
    let input = PutEventsRequest { entries, ..Default::default() };
    let answer = fixture.kit.call::<PutEvents, _>(&*fixture.events, &fixture.root, input).await;
    let answer = answer.unwrap();
    assert_eq!(answer.failed_entry_count, Some(3));
    let codes = answer.entries.into_iter().flatten().map(|entry| entry.error_code);
    assert!(codes.into_iter().all(|code| code.as_deref() == Some("MalformedDetail")));
}

#[tokio::test]
async fn an_event_as_long_as_one_may_be_is_delivered_with_its_place_in_a_trace() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![queue("a"), queue("b")]).await;
    let detail = format!(r#"{{"a":"{}"}}"#, "\\\"".repeat(131_063));
    assert_eq!("app".len() + "test".len() + detail.len(), 262_141);
    let entry = PutEventsRequestEntry {
        source: Some("app".to_owned()),
        detail_type: Some("test".to_owned()),
        detail: Some(detail),
        trace_header: Some("Root=1-2-3".to_owned()),
        ..Default::default()
    };
    let input = PutEventsRequest { entries: vec![entry], ..Default::default() };
    let put = fixture.kit.call::<PutEvents, _>(&*fixture.events, &fixture.root, input).await;
    assert_eq!(put.unwrap().failed_entry_count, Some(0));
    fixture.kit.jobs.run_due().await.unwrap();
    let traces: Vec<Option<String>> = fixture
        .queues
        .got
        .lock()
        .unwrap()
        .iter()
        .map(|(.., message)| message.trace.clone())
        .collect();
    assert_eq!(traces, [Some("Root=1-2-3".to_owned()), Some("Root=1-2-3".to_owned())]);
}

#[tokio::test]
async fn a_path_with_a_wildcard_gives_the_list() {
    let fixture = Fixture::new().await;
    let input_path = Some("$.detail.l[*].k".to_owned());
    fixture.rule("rule", vec![Target { input_path, ..queue("q") }]).await;
    fixture.put(r#"{"l": [{"k": 1}, {"k": 2}]}"#).await;
    let body = fixture.queues.got.lock().unwrap()[0].2.body.clone();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), serde_json::json!([1, 2]));
}
