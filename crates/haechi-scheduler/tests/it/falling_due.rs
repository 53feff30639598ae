//! From a schedule to a call. The clock starts at 2026-01-01T00:00:00Z.

use haechi_scheduler::Refusal;
use haechi_scheduler_model::ops::{DeleteSchedule, UpdateSchedule};
use haechi_scheduler_model::shapes::{
    ActionAfterCompletion, CreateScheduleInput, DeadLetterConfig, DeleteScheduleInput,
    EventBridgeParameters, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    SqsParameters, Target, UpdateScheduleInput,
};
use haechi_wire::Timestamp;
use serde_json::{Value, json};

use super::{ACCOUNT, Fixture, QUEUE, ROLE, off, schedule, target};

const NOW: i64 = 1_767_225_600;

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test]
async fn a_rate_begins_at_once_and_goes_on() {
    let fixture = Fixture::new().await;
    fixture.create(schedule("rate(1 minute)")).await.unwrap();
    fixture.kit.jobs.run_due().await.unwrap();
    let calls = fixture.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((call.service.as_str(), call.operation.as_str()), ("sqs", "SendMessage"));
    assert!(text(&call.input, "/QueueUrl").ends_with("/111122223333/q"));
    let mut body: Value = serde_json::from_str(text(&call.input, "/MessageBody")).unwrap();
    assert!(body.as_object_mut().unwrap().remove("id").is_some());
    let expected = json!({
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:111122223333:schedule/default/s"],
        "detail": "{}",
    });
    assert_eq!(body, expected);
    assert_eq!(fixture.calls_in(59).await, 0);
    assert_eq!(fixture.calls_in(1).await, 1);
    assert_eq!(fixture.calls_in(120).await, 2);
}

#[tokio::test]
async fn once_is_once_and_may_delete_itself() {
    let fixture = Fixture::new().await;
    let mut once = schedule("at(2026-01-01T01:00:00)");
    once.schedule_expression_timezone = Some("Europe/London".to_owned());
    once.action_after_completion = Some(ActionAfterCompletion::Delete);
    fixture.create(once.clone()).await.unwrap();
    fixture.advance(3599).await;
    assert!(fixture.calls().is_empty());
    fixture.advance(1).await;
    assert_eq!(fixture.calls().len(), 1);
    assert!(fixture.get("s").await.is_none());
    once.schedule_expression = "at(2026-01-01T02:00:00)".to_owned();
    once.action_after_completion = None;
    fixture.create(once).await.unwrap();
    fixture.advance(7200).await;
    assert_eq!(fixture.calls().len(), 1);
    assert!(fixture.get("s").await.is_some());
}

#[tokio::test]
async fn start_and_end_bound_it() {
    let fixture = Fixture::new().await;
    let input = CreateScheduleInput {
        start_date: Some(Timestamp::from_seconds(NOW + 120)),
        end_date: Some(Timestamp::from_seconds(NOW + 240)),
        action_after_completion: Some(ActionAfterCompletion::Delete),
        ..schedule("rate(1 minute)")
    };
    fixture.create(input).await.unwrap();
    assert_eq!(fixture.calls_in(119).await, 0);
    assert_eq!(fixture.calls_in(1).await, 1);
    assert_eq!(fixture.calls_in(600).await, 2);
    assert!(fixture.get("s").await.is_none());
}

#[tokio::test]
async fn a_flexible_window_spreads_calls_within_itself() {
    let fixture = Fixture::new().await;
    let window = FlexibleTimeWindow {
        mode: FlexibleTimeWindowMode::Flexible,
        maximum_window_in_minutes: Some(10),
    };
    let input =
        CreateScheduleInput { flexible_time_window: window, ..schedule("cron(0 1 * * ? *)") };
    fixture.create(input).await.unwrap();
    fixture.advance(3599).await;
    assert!(fixture.calls().is_empty());
    fixture.advance(601).await;
    let calls = fixture.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    let body: Value = serde_json::from_str(text(&call.input, "/MessageBody")).unwrap();
    assert_eq!(text(&body, "/time"), "2026-01-01T01:00:00Z", "the time that was meant");
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let fixture = Fixture::new().await;
    fixture.create(schedule("cron(* * * * ? *)")).await.unwrap();
    fixture.advance(86_430).await;
    assert_eq!(fixture.calls().len(), 1);
    fixture.advance(120).await;
    assert_eq!(fixture.calls().len(), 2);
}

#[tokio::test]
async fn a_schedule_that_is_off_changed_or_gone_calls_nothing() {
    let fixture = Fixture::new().await;
    let off_from_the_start =
        CreateScheduleInput { state: Some(ScheduleState::Disabled), ..schedule("rate(1 minute)") };
    fixture.create(off_from_the_start).await.unwrap();
    assert_eq!(fixture.calls_in(120).await, 0);
    let update = |expression: &str, state| UpdateScheduleInput {
        name: "s".to_owned(),
        schedule_expression: expression.to_owned(),
        target: target(),
        flexible_time_window: off(),
        state,
        ..Default::default()
    };
    let change = async |input| {
        let changed =
            fixture.kit.call::<UpdateSchedule, _>(&*fixture.scheduler, &fixture.root, input).await;
        changed.ok().unwrap();
    };
    change(update("rate(1 minute)", None)).await;
    assert_eq!(fixture.calls_in(60).await, 1, "it goes on in step with its beginning");
    change(update("rate(2 minute)", None)).await;
    assert_eq!(fixture.calls_in(120).await, 1);
    change(update("rate(2 minutes)", Some(ScheduleState::Disabled))).await;
    assert_eq!(fixture.calls_in(240).await, 0);
    change(update("rate(2 minutes)", None)).await;
    let input = DeleteScheduleInput { name: "s".to_owned(), ..Default::default() };
    let deleted =
        fixture.kit.call::<DeleteSchedule, _>(&*fixture.scheduler, &fixture.root, input).await;
    deleted.ok().unwrap();
    assert_eq!(fixture.calls_in(240).await, 0);
}

#[tokio::test]
async fn inputs_may_name_what_is_known_of_the_call() {
    let fixture = Fixture::new().await;
    let input = r#"{"a": "<aws.scheduler.schedule-arn>", "t": "<aws.scheduler.scheduled-time>",
        "n": "<aws.scheduler.attempt-number>", "x": "<aws.scheduler.execution-id>"}"#;
    let target = Target {
        arn: format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
        input: Some(input.to_owned()),
        event_bridge_parameters: Some(EventBridgeParameters {
            detail_type: "tick".to_owned(),
            source: "app".to_owned(),
        }),
        ..target()
    };
    let refusal = Refusal::Temporary { code: "Down".to_owned(), message: "down".to_owned() };
    fixture.world.refusals.lock().unwrap().push(refusal);
    fixture.create(CreateScheduleInput { target, ..schedule("rate(1 day)") }).await.unwrap();
    assert_eq!(fixture.calls_in(10).await, 1);
    fixture.advance(86_400).await;
    let calls = fixture.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(call.operation, "PutEvents");
    assert_eq!(text(&call.input, "/Entries/0/Source"), "app");
    let detail: Value = serde_json::from_str(text(&call.input, "/Entries/0/Detail")).unwrap();
    assert_eq!(text(&detail, "/t"), "2026-01-02T00:00:00Z");
    assert_eq!(text(&detail, "/n"), "1");
    assert!(text(&detail, "/a").ends_with(":schedule/default/s"));
    assert_eq!(text(&detail, "/x").len(), 36);
}

#[tokio::test]
async fn a_call_that_fails_is_made_again_and_ends_as_a_dead_letter() {
    let fixture = Fixture::new().await;
    let dead = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:dead");
    let target = Target {
        dead_letter_config: Some(DeadLetterConfig { arn: Some(dead) }),
        retry_policy: Some(RetryPolicy {
            maximum_retry_attempts: Some(2),
            maximum_event_age_in_seconds: Some(3600),
        }),
        input: Some("payload".to_owned()),
        ..target()
    };
    let down = || Refusal::Temporary { code: "Down".to_owned(), message: "it is down".to_owned() };
    fixture.world.refusals.lock().unwrap().extend([down(), down(), down()]);
    fixture.create(CreateScheduleInput { target, ..schedule("rate(1 day)") }).await.unwrap();
    for _ in 0..60 {
        fixture.advance(1).await;
    }
    let calls = fixture.calls();
    let [letter] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(text(&letter.input, "/QueueUrl").ends_with("/dead"));
    assert_eq!(text(&letter.input, "/MessageBody"), "payload");
    let told = |name: &str| {
        text(&letter.input, &format!("/MessageAttributes/{name}/StringValue")).to_owned()
    };
    assert_eq!(told("ERROR_CODE"), "Down");
    assert_eq!(told("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    assert_eq!(told("RETRY_ATTEMPTS"), "2");
    assert_eq!(told("TARGET_ARN"), QUEUE);
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let fixture = Fixture::new().await;
    fixture.create(schedule("rate(1 day)")).await.unwrap();
    fixture.world.roles.lock().unwrap().remove(ROLE);
    assert_eq!(fixture.calls_in(120).await, 0);
    let role = fixture.kit.user(ACCOUNT, "role", &[]);
    fixture.world.roles.lock().unwrap().insert(ROLE.to_owned(), role);
    assert_eq!(fixture.calls_in(120).await, 0);
    fixture.advance(86_400).await;
    assert_eq!(fixture.calls().len(), 1);
}

#[tokio::test]
async fn a_fifo_queue_and_any_operation_get_their_parameters() {
    let fixture = Fixture::new().await;
    let fifo = Target {
        arn: format!("{QUEUE}.fifo"),
        sqs_parameters: Some(SqsParameters { message_group_id: Some("g".to_owned()) }),
        ..target()
    };
    fixture.create(CreateScheduleInput { target: fifo, ..schedule("rate(1 day)") }).await.unwrap();
    let purge = Target {
        arn: "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue".to_owned(),
        input: Some(r#"{"QueueUrl": "https://x/111122223333/q"}"#.to_owned()),
        ..target()
    };
    let other =
        CreateScheduleInput { name: "other".to_owned(), target: purge, ..schedule("rate(1 day)") };
    fixture.create(other).await.unwrap();
    fixture.kit.jobs.run_due().await.unwrap();
    let mut calls = fixture.calls();
    calls.sort_by(|one, other| one.operation.cmp(&other.operation));
    let [purge, send] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(purge.operation, "PurgeQueue");
    assert_eq!(purge.input, json!({"QueueUrl": "https://x/111122223333/q"}));
    assert_eq!(text(&send.input, "/MessageGroupId"), "g");
    assert_eq!(text(&send.input, "/MessageDeduplicationId").len(), 36);
}
