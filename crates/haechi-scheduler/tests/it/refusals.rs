//! What is no schedule, and who may make one.

use haechi_scheduler_model::ops::CreateSchedule;
use haechi_scheduler_model::shapes::{
    CreateScheduleInput, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use haechi_testkit::told;
use haechi_wire::Timestamp;

use super::{ACCOUNT, Fixture, ROLE, schedule, target};

/// When the clock starts.
const NOW: i64 = 1_767_225_600;

#[tokio::test]
async fn a_start_may_be_a_little_late_and_does_not_matter_to_what_is_once() {
    let fixture = Fixture::new().await;
    for (name, expression, start) in
        [("late", "rate(1 day)", NOW - 300), ("once", "at(2027-01-01T00:00:00)", NOW - 1_000)]
    {
        let input = CreateScheduleInput {
            name: name.to_owned(),
            start_date: Some(Timestamp::from_seconds(start)),
            ..schedule(expression)
        };
        fixture.create(input).await.unwrap();
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_mistake_is_told() {
    let fixture = Fixture::new().await;
    let with = |change: fn(&mut CreateScheduleInput)| {
        let mut input = schedule("rate(1 day)");
        change(&mut input);
        input
    };
    let window =
        |mode, maximum_window_in_minutes| FlexibleTimeWindow { mode, maximum_window_in_minutes };
    let flexible = CreateScheduleInput {
        flexible_time_window: window(FlexibleTimeWindowMode::Flexible, None),
        ..schedule("rate(1 day)")
    };
    let off = CreateScheduleInput {
        flexible_time_window: window(FlexibleTimeWindowMode::Off, Some(5)),
        ..schedule("rate(1 day)")
    };
    let (invalid, unsupported) = ("ValidationException", "UnsupportedOperation");
    for (input, code, message) in [
        (schedule("rate(1 weeks)"), invalid, "Invalid Schedule Expression rate(1 weeks)."),
        (schedule("at(2026-13-01T00:00:00)"), invalid, "Invalid Schedule Expression at("),
        (schedule("cron(0 1 * * * *)"), invalid, "Invalid Schedule Expression cron("),
        (
            with(|input| input.schedule_expression_timezone = Some("Europe/Nowhere".to_owned())),
            invalid,
            "Invalid ScheduleExpressionTimezone Europe/Nowhere.",
        ),
        (
            with(|input| input.end_date = Some(Timestamp::from_seconds(NOW))),
            invalid,
            "The EndDate must be in the future",
        ),
        (
            with(|input| input.start_date = Some(Timestamp::from_seconds(NOW - 301))),
            invalid,
            "The StartDate you specify cannot be earlier than 5 minutes ago.",
        ),
        (flexible, invalid, "MaximumWindowInMinutes must be specified"),
        (off, invalid, "MaximumWindowInMinutes must not be specified"),
        (
            with(|input| input.group_name = Some("none".to_owned())),
            "ResourceNotFoundException",
            "Schedule group none does not exist.",
        ),
        (
            with(|input| input.target.arn = "arn:aws:s3:::bucket".to_owned()),
            invalid,
            "Provided Arn is not in correct format.",
        ),
        (
            with(|input| input.target.arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo")),
            invalid,
            "SqsParameters with a MessageGroupId",
        ),
        (
            with(|input| input.target.arn = format!("arn:aws:sns:us-east-1:{ACCOUNT}:topic")),
            unsupported,
            "",
        ),
        (
            with(|input| {
                input.target.arn = format!("arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:m");
            }),
            unsupported,
            "",
        ),
        (
            with(|input| {
                input.target.arn = "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage".to_owned();
            }),
            invalid,
            "The API action receiveMessage only reads",
        ),
        (
            with(|input| {
                input.target.arn = "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue".to_owned();
                input.target.input = Some("[]".to_owned());
            }),
            invalid,
            "Input must be the parameters",
        ),
        (
            with(|input| {
                input.target.arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
                input.target.input = Some("no JSON".to_owned());
            }),
            invalid,
            "Input must be well-formed JSON",
        ),
        (
            with(|input| input.target.input = Some("x".repeat(262_145))),
            invalid,
            "Input must not be longer than 262144 bytes.",
        ),
        (
            with(|input| input.target.role_arn = format!("{ROLE}-other")),
            invalid,
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
        (
            with(|input| input.target.role_arn = "arn:aws:iam::444455556666:role/r".to_owned()),
            "AccessDeniedException",
            "Cross-account pass role is not allowed.",
        ),
    ] {
        let (expression, arn) = (input.schedule_expression.clone(), input.target.arn.clone());
        let (got, said) = fixture.create(input).await.unwrap_err();
        assert!(got == code && said.contains(message), "{expression} {arn}: {got} {said}");
    }
    assert!(fixture.get("s").await.is_none());
}

#[tokio::test]
async fn whoever_makes_a_schedule_must_be_allowed_to_pass_its_role() {
    let fixture = Fixture::new().await;
    let policy = |pass: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "scheduler:CreateSchedule",
              "Resource": "arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/s"}}{pass}]}}"#
        )
    };
    let pass = format!(
        r#",{{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "{ROLE}",
        "Condition": {{"StringEquals": {{"iam:PassedToService": "scheduler.amazonaws.com"}}}}}}"#
    );
    let create = async |name: &str, policy: String| {
        let user = fixture.kit.user(ACCOUNT, name, &[&policy]);
        let input =
            CreateScheduleInput { target: Target { ..target() }, ..schedule("rate(1 day)") };
        let made = fixture.kit.call::<CreateSchedule, _>(&*fixture.scheduler, &user, input).await;
        made.map(|_| ()).map_err(|problem| told(&problem))
    };
    let (code, message) = create("weak", policy("")).await.unwrap_err();
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("iam:PassRole"), "{message}");
    create("strong", policy(&pass)).await.unwrap();
}
