//! From the bus to the targets.

use haechi_events_model::shapes::{DeadLetterConfig, RetryPolicy, Target};

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
    fixture.rule("rule", vec![theirs.clone()]).await;
    // Whoever may use the role is told by its name here.
    let sender = fixture.kit.root("777788889999");
    fixture.roles.0.lock().unwrap().insert(role.clone(), std::sync::Arc::clone(&sender));
    fixture.put("{}").await;
    let by = fixture.queues.got.lock().unwrap().first().map(|(_, by, _)| by.clone());
    assert_eq!(by.as_deref(), Some(sender.arn()));
    assert_eq!(fixture.got(), ["theirs"]);
    fixture.roles.0.lock().unwrap().remove(&role);
    fixture.put("{}").await;
    let by = fixture.queues.got.lock().unwrap().first().map(|(_, by, _)| by.clone());
    assert!(by.is_some_and(|by| by.ends_with(":rule/rule")));
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
