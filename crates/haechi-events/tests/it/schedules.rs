//! Rules that fall due by time.

use haechi_events_model::ops::{
    DeleteRule, DisableRule, EnableRule, PutRule, PutTargets, RemoveTargets,
};
use haechi_events_model::shapes::{
    DeleteRuleRequest, DisableRuleRequest, EnableRuleRequest, PutRuleRequest, PutTargetsRequest,
    RemoveTargetsRequest, RuleState,
};
use haechi_testkit::told;

use super::{Fixture, queue};

impl Fixture {
    async fn schedule(&self, name: &str, expression: &str) {
        let input = PutRuleRequest {
            name: name.to_owned(),
            schedule_expression: Some(expression.to_owned()),
            ..Default::default()
        };
        self.kit.call::<PutRule, _>(&*self.events, &self.root, input).await.unwrap();
        let targets = vec![queue("q")];
        let input = PutTargetsRequest { rule: name.to_owned(), targets, ..Default::default() };
        self.kit.call::<PutTargets, _>(&*self.events, &self.root, input).await.unwrap();
    }

    /// How many events come in so many seconds, one second at a time.
    async fn in_seconds(&self, seconds: usize) -> usize {
        for _ in 0..seconds {
            self.kit.clock.advance(1);
            self.kit.jobs.run_due().await.unwrap();
        }
        self.got().len()
    }

    /// The times of the events that came, in order.
    fn times(&self) -> Vec<String> {
        let got = std::mem::take(&mut *self.queues.got.lock().unwrap());
        let time = |body: &str| {
            let event: serde_json::Value = serde_json::from_str(body).unwrap();
            event["time"].as_str().unwrap().to_owned()
        };
        let mut times: Vec<String> = got.iter().map(|(.., message)| time(&message.body)).collect();
        times.sort_unstable();
        times
    }
}

#[tokio::test]
async fn a_rate_falls_due_once_each_time_from_when_it_was_written() {
    let fixture = Fixture::new().await;
    fixture.schedule("rule", "rate(1 minute)").await;
    assert_eq!(fixture.in_seconds(59).await, 0);
    assert_eq!(fixture.in_seconds(1).await, 1);
    assert_eq!(fixture.in_seconds(180).await, 3);
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.got().len(), 0);
}

#[tokio::test]
async fn the_event_is_as_recorded() {
    let fixture = Fixture::new().await;
    fixture.schedule("nightly", "cron(30 2 * * ? *)").await;
    fixture.kit.clock.advance(3 * 3600);
    fixture.kit.jobs.run_due().await.unwrap();
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let mut event: serde_json::Value = serde_json::from_str(&got[0].2.body).unwrap();
    assert!(event.as_object_mut().unwrap().remove("id").is_some());
    let arn = "arn:aws:events:us-east-1:111122223333:rule/nightly";
    let expected = serde_json::json!({
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": "2026-01-01T02:30:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {},
    });
    assert_eq!(event, expected);
    assert_eq!(got[0].1, arn, "the rule is the source of the delivery");
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once_and_a_short_delay_skips_nothing() {
    let fixture = Fixture::new().await;
    fixture.schedule("rule", "cron(* * * * ? *)").await;
    fixture.kit.clock.advance(24 * 3600 + 30);
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.times(), ["2026-01-01T00:01:00Z"]);
    fixture.kit.clock.advance(180);
    fixture.kit.jobs.run_due().await.unwrap();
    let expected = ["2026-01-02T00:01:00Z", "2026-01-02T00:02:00Z", "2026-01-02T00:03:00Z"];
    assert_eq!(fixture.times(), expected);
}

#[tokio::test]
async fn a_rule_that_is_off_changed_or_gone_does_not_fall_due() {
    let fixture = Fixture::new().await;
    let (kit, events, root) = (&fixture.kit, &*fixture.events, &fixture.root);
    fixture.schedule("rule", "rate(1 minute)").await;
    let name = "rule".to_owned();
    let input = DisableRuleRequest { name: name.clone(), ..Default::default() };
    kit.call::<DisableRule, _>(events, root, input).await.unwrap();
    assert_eq!(fixture.in_seconds(120).await, 0);
    let input = EnableRuleRequest { name: name.clone(), ..Default::default() };
    kit.call::<EnableRule, _>(events, root, input).await.unwrap();
    assert_eq!(fixture.in_seconds(60).await, 1);
    // The same again changes nothing; another rate begins anew.
    fixture.in_seconds(30).await;
    fixture.schedule("rule", "rate(1 minute)").await;
    assert_eq!(fixture.in_seconds(30).await, 1);
    fixture.schedule("rule", "rate(2 minutes)").await;
    assert_eq!(fixture.in_seconds(119).await, 0);
    assert_eq!(fixture.in_seconds(1).await, 1);
    let input = RemoveTargetsRequest {
        rule: name.clone(),
        ids: vec!["q".to_owned()],
        ..Default::default()
    };
    kit.call::<RemoveTargets, _>(events, root, input).await.unwrap();
    assert_eq!(fixture.in_seconds(120).await, 0);
    let input = DeleteRuleRequest { name, ..Default::default() };
    kit.call::<DeleteRule, _>(events, root, input).await.unwrap();
    fixture.kit.clock.advance(600);
    fixture.kit.jobs.run_due().await.unwrap();
}

#[tokio::test]
async fn a_rule_that_is_made_turned_off_waits() {
    let fixture = Fixture::new().await;
    let input = PutRuleRequest {
        name: "rule".to_owned(),
        schedule_expression: Some("rate(1 minute)".to_owned()),
        state: Some(RuleState::Disabled),
        ..Default::default()
    };
    fixture.kit.call::<PutRule, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    fixture.kit.clock.advance(3600);
    fixture.kit.jobs.run_due().await.unwrap();
}

#[tokio::test]
async fn a_rule_with_a_schedule_and_a_pattern_heeds_both() {
    let fixture = Fixture::new().await;
    let input = PutRuleRequest {
        name: "rule".to_owned(),
        event_pattern: Some(r#"{"source": ["app"]}"#.to_owned()),
        schedule_expression: Some("rate(1 minute)".to_owned()),
        ..Default::default()
    };
    fixture.kit.call::<PutRule, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    let (rule, targets) = ("rule".to_owned(), vec![queue("q")]);
    let input = PutTargetsRequest { rule, targets, ..Default::default() };
    fixture.kit.call::<PutTargets, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    fixture.put("{}").await;
    assert_eq!(fixture.got().len(), 1);
    assert_eq!(fixture.in_seconds(60).await, 1);
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_as_recorded() {
    let fixture = Fixture::new().await;
    for (expression, bus, message) in [
        ("rate(1 minutes)", None, "Parameter ScheduleExpression is not valid."),
        ("cron(0 1 * * * *)", None, "Parameter ScheduleExpression is not valid."),
        ("at(2030-01-01T00:00:00)", None, "Parameter ScheduleExpression is not valid."),
        (
            "rate(1 minute)",
            Some("other"),
            "ScheduleExpression is supported only on the default event bus.",
        ),
    ] {
        let input = PutRuleRequest {
            name: "rule".to_owned(),
            schedule_expression: Some(expression.to_owned()),
            event_bus_name: bus.map(str::to_owned),
            ..Default::default()
        };
        let refused = fixture.kit.call::<PutRule, _>(&*fixture.events, &fixture.root, input).await;
        let expected = ("ValidationException", message.to_owned());
        assert_eq!(told(&refused.err().unwrap()), expected, "{expression}");
    }
}
