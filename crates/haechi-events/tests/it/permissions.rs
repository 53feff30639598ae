//! Who else may put events on a bus.

use haechi_events_model::ops::{
    CreateEventBus, DeleteEventBus, DeleteRule, DescribeEventBus, PutEvents, PutPermission,
    PutRule, PutTargets, RemovePermission, TagResource,
};
use haechi_events_model::shapes::{
    Condition, CreateEventBusRequest, DeleteEventBusRequest, DeleteRuleRequest,
    DescribeEventBusRequest, PutEventsRequest, PutEventsRequestEntry, PutPermissionRequest,
    PutRuleRequest, PutTargetsRequest, RemovePermissionRequest, Tag, TagResourceRequest,
};
use haechi_testkit::told;
use serde_json::{Value, json};

use super::{ACCOUNT, Fixture, queue};

const OTHER: &str = "444455556666";
const PUT: &str = r#"{"Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}}"#;

impl Fixture {
    async fn allow(&self, sid: &str, principal: &str) {
        let input = PutPermissionRequest {
            action: Some("events:PutEvents".to_owned()),
            principal: Some(principal.to_owned()),
            statement_id: Some(sid.to_owned()),
            ..Default::default()
        };
        self.kit.call::<PutPermission, _>(&*self.events, &self.root, input).await.unwrap();
    }

    async fn policy(&self) -> Option<Value> {
        let input = DescribeEventBusRequest::default();
        let bus = self.kit.call::<DescribeEventBus, _>(&*self.events, &self.root, input).await;
        bus.unwrap().policy.map(|policy| serde_json::from_str(&policy).unwrap())
    }

    async fn remove(&self, sid: Option<&str>) -> Result<(), (&'static str, String)> {
        let input = RemovePermissionRequest {
            statement_id: sid.map(str::to_owned),
            remove_all_permissions: sid.is_none().then_some(true),
            ..Default::default()
        };
        let removed = self.kit.call::<RemovePermission, _>(&*self.events, &self.root, input).await;
        removed.map(|_| ()).map_err(|problem| told(&problem))
    }

    /// What a user of the other account is told who puts an event on this account's default bus.
    async fn stranger_puts(&self, source: &str) -> Option<&'static str> {
        let user = self.kit.user(OTHER, "eve", &[PUT]);
        let entry = PutEventsRequestEntry {
            source: Some(source.to_owned()),
            detail_type: Some("test".to_owned()),
            detail: Some("{}".to_owned()),
            event_bus_name: Some(format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default")),
            ..Default::default()
        };
        let input = PutEventsRequest { entries: vec![entry], ..Default::default() };
        let put = self.kit.call::<PutEvents, _>(&*self.events, &user, input).await;
        self.kit.jobs.run_due().await.unwrap();
        put.err().map(|problem| told(&problem).0)
    }
}

#[tokio::test]
async fn statements_have_the_form_that_was_recorded_and_go_one_by_one() {
    let fixture = Fixture::new().await;
    fixture.allow("first", OTHER).await;
    fixture.allow("second", "*").await;
    let arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default");
    let statement = |sid: &str, principal: Value| {
        json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": "events:PutEvents",
            "Resource": arn,
        })
    };
    let first = statement("first", json!({"AWS": format!("arn:aws:iam::{OTHER}:root")}));
    let second = statement("second", json!("*"));
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    assert_eq!(fixture.policy().await, Some(policy(json!([first, second]))));
    fixture.allow("first", "*").await;
    assert_eq!(
        fixture.policy().await,
        Some(policy(json!([statement("first", json!("*")), second])))
    );
    fixture.remove(Some("first")).await.unwrap();
    assert_eq!(fixture.policy().await, Some(policy(json!([second]))));
    let told = "Statement with the provided id does not exist.".to_owned();
    let missing = Err(("ResourceNotFoundException", told));
    assert_eq!(fixture.remove(Some("first")).await, missing);
    fixture.remove(None).await.unwrap();
    assert_eq!(fixture.policy().await, None);
    assert_eq!(fixture.remove(Some("second")).await, missing);
}

#[tokio::test]
async fn another_account_puts_events_once_the_policy_lets_it() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![queue("q")]).await;
    assert_eq!(fixture.stranger_puts("app").await, Some("AccessDeniedException"));
    assert!(fixture.got().is_empty());
    fixture.allow("other", OTHER).await;
    assert_eq!(fixture.stranger_puts("app").await, None);
    let got = std::mem::take(&mut *fixture.queues.got.lock().unwrap());
    let event: Value = serde_json::from_str(&got[0].2.body).unwrap();
    assert_eq!(event["account"], OTHER, "the event is the sender's");
    fixture.remove(None).await.unwrap();
    assert_eq!(fixture.stranger_puts("app").await, Some("AccessDeniedException"));
}

#[tokio::test]
async fn a_policy_may_look_at_the_event() {
    let fixture = Fixture::new().await;
    fixture.rule("rule", vec![queue("q")]).await;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": OTHER},
            "Action": "events:PutEvents",
            "Resource": format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
            "Condition": {"StringEquals": {"events:source": "app", "events:detail-type": "test"}},
        }],
    });
    let input = PutPermissionRequest { policy: Some(policy.to_string()), ..Default::default() };
    fixture.kit.call::<PutPermission, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    assert_eq!(fixture.stranger_puts("app").await, None);
    assert_eq!(fixture.stranger_puts("other").await, Some("AccessDeniedException"));
    assert_eq!(fixture.got().len(), 1);
}

#[tokio::test]
async fn what_is_no_permission_is_refused() {
    let fixture = Fixture::new().await;
    let good = PutPermissionRequest {
        action: Some("events:PutEvents".to_owned()),
        principal: Some("*".to_owned()),
        statement_id: Some("s".to_owned()),
        ..Default::default()
    };
    let condition = Condition {
        r#type: "StringEquals".to_owned(),
        key: "aws:SourceIp".to_owned(),
        value: "x".to_owned(),
    };
    let long = format!(r#"{{"Version": "2012-10-17", "Id": "{}"}}"#, "x".repeat(10_240));
    for (input, code) in [
        (PutPermissionRequest { principal: None, ..good.clone() }, "ValidationException"),
        (
            PutPermissionRequest { action: Some("events:PutRule".to_owned()), ..good.clone() },
            "ValidationException",
        ),
        (
            PutPermissionRequest { principal: Some("eve".to_owned()), ..good.clone() },
            "ValidationException",
        ),
        (
            PutPermissionRequest { condition: Some(condition), ..good.clone() },
            "ValidationException",
        ),
        (
            PutPermissionRequest { policy: Some("{}".to_owned()), ..good.clone() },
            "ValidationException",
        ),
        (
            PutPermissionRequest { policy: Some(long), ..good.clone() },
            "PolicyLengthExceededException",
        ),
        (
            PutPermissionRequest { event_bus_name: Some("none".to_owned()), ..good.clone() },
            "ResourceNotFoundException",
        ),
    ] {
        let refused = fixture.kit.call::<PutPermission, _>(&*fixture.events, &fixture.root, input);
        assert_eq!(told(&refused.await.unwrap_err()).0, code);
    }
    assert_eq!(fixture.policy().await, None);
}

#[tokio::test]
async fn a_bus_that_is_not_there_cannot_be_deleted() {
    let fixture = Fixture::new().await;
    let name = "bus".to_owned();
    let input = CreateEventBusRequest { name: name.clone(), ..Default::default() };
    fixture.kit.call::<CreateEventBus, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    let delete = || {
        let input = DeleteEventBusRequest { name: name.clone() };
        fixture.kit.call::<DeleteEventBus, _>(&*fixture.events, &fixture.root, input)
    };
    delete().await.unwrap();
    let told = told(&delete().await.unwrap_err());
    let expected = "Event bus bus does not exist.".to_owned();
    assert_eq!(told, ("ResourceNotFoundException", expected));
}

#[tokio::test]
async fn policies_see_targets_patterns_and_tags() {
    let fixture = Fixture::new().await;
    let all = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "events:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "events:PutTargets", "Resource": "*", "Condition":
            {"ArnNotEquals": {"events:TargetArn": "arn:aws:sqs:us-east-1:111122223333:mine"}}},
        {"Effect": "Deny", "Action": "events:PutRule", "Resource": "*",
         "Condition": {"StringNotEquals": {"events:source": "mine"}}},
        {"Effect": "Deny", "Action": "events:DeleteRule", "Resource": "*",
         "Condition": {"StringEquals": {"aws:ResourceTag/Keep": "yes"}}}]}"#;
    let user = fixture.kit.user(ACCOUNT, "u", &[all]);
    let rule = async |pattern: &str| {
        let tag = Tag { key: "Keep".to_owned(), value: "yes".to_owned() };
        let input = PutRuleRequest {
            name: "r".to_owned(),
            event_pattern: Some(pattern.to_owned()),
            tags: Some(vec![tag]),
            ..Default::default()
        };
        fixture.kit.call::<PutRule, _>(&*fixture.events, &user, input).await.is_ok()
    };
    assert!(!rule(r#"{"source": ["theirs"]}"#).await);
    assert!(rule(r#"{"source": ["mine"]}"#).await);
    let targets = async |names: &[&str]| {
        let input = PutTargetsRequest {
            rule: "r".to_owned(),
            targets: names.iter().map(|name| queue(name)).collect(),
            ..Default::default()
        };
        fixture.kit.call::<PutTargets, _>(&*fixture.events, &user, input).await.is_ok()
    };
    assert!(targets(&["mine"]).await);
    assert!(!targets(&["mine", "theirs"]).await);
    let input = DeleteRuleRequest { name: "r".to_owned(), ..Default::default() };
    let kept = fixture.kit.call::<DeleteRule, _>(&*fixture.events, &user, input).await;
    assert_eq!(kept.err().map(|problem| told(&problem).0), Some("AccessDeniedException"));
}

impl Fixture {
    /// Puts a policy that lets a user of the other account put events.
    async fn name(&self, name: &str) -> Result<(), (&'static str, String)> {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "user",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{OTHER}:user/{name}")},
            "Action": "events:PutEvents",
            "Resource": format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
        }]});
        let policy = Some(policy.to_string());
        let input = PutPermissionRequest { policy, ..Default::default() };
        let put = self.kit.call::<PutPermission, _>(&*self.events, &self.root, input).await;
        put.map(|_| ()).map_err(|problem| told(&problem))
    }
}

#[tokio::test]
async fn a_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let fixture = Fixture::new().await;
    let directory = fixture.kit.directory();
    let eve = format!("arn:aws:iam::{OTHER}:user/eve");
    directory.make(&eve, "AIDAOFANEARLIEREVE");
    fixture.name("eve").await.unwrap();
    assert_eq!(fixture.stranger_puts("app").await, Some("AccessDeniedException"));
    directory.make(&eve, "AIDATESTEVE");
    // A single statement leaves the others as they are.
    fixture.allow("more", "777788889999").await;
    assert_eq!(fixture.stranger_puts("app").await, Some("AccessDeniedException"));
    fixture.name("eve").await.unwrap();
    assert_eq!(fixture.stranger_puts("app").await, None);
    let ghost = format!("arn:aws:iam::{OTHER}:user/ghost");
    let told = format!(
        r#"Parameter Policy is not valid. Reason: Invalid principal in policy: "AWS":"{ghost}""#
    );
    assert_eq!(fixture.name("ghost").await, Err(("ValidationException", told)));
    assert_eq!(fixture.stranger_puts("app").await, None);
}

#[tokio::test]
async fn what_is_allowed_elsewhere_reaches_nothing_of_the_same_name_here() {
    let fixture = Fixture::new().await;
    let name = "r".to_owned();
    let pattern = Some(r#"{"source": ["x"]}"#.to_owned());
    let input = PutRuleRequest { name, event_pattern: pattern, ..Default::default() };
    fixture.kit.call::<PutRule, _>(&*fixture.events, &fixture.root, input).await.unwrap();
    let tag = |arn: String| {
        let tags = vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
        TagResourceRequest { resource_arn: arn, tags }
    };
    let own = format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/r");
    fixture.kit.call::<TagResource, _>(&*fixture.events, &fixture.root, tag(own)).await.unwrap();
    for elsewhere in [
        format!("arn:aws:events:eu-west-1:{ACCOUNT}:rule/r"),
        format!("arn:aws-cn:events:us-east-1:{ACCOUNT}:rule/r"),
        format!("arn:aws:events:us-east-1:{OTHER}:rule/r"),
        format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/default/r"),
    ] {
        let input = tag(elsewhere.clone());
        let outcome = fixture.kit.call::<TagResource, _>(&*fixture.events, &fixture.root, input);
        let problem = outcome.await.map(|_| ()).unwrap_err();
        let known = ["ResourceNotFoundException", "AccessDeniedException"];
        assert!(known.contains(&told(&problem).0), "{elsewhere}: {:?}", told(&problem));
    }
}

#[tokio::test]
async fn tags_do_not_come_with_a_bus_or_rule_for_who_may_not_tag() {
    let fixture = Fixture::new().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "events:TagResource", "Resource": "*"}]}"#;
    let user = fixture.kit.user(ACCOUNT, "eve", &[policy]);
    let tags = || vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
    let bus = |tags| CreateEventBusRequest { name: "b".to_owned(), tags, ..Default::default() };
    let rule = |tags| PutRuleRequest {
        name: "r".to_owned(),
        event_pattern: Some(r#"{"source": ["x"]}"#.to_owned()),
        tags,
        ..Default::default()
    };
    let (kit, events) = (&fixture.kit, &*fixture.events);
    let made = kit.call::<CreateEventBus, _>(events, &user, bus(Some(tags()))).await;
    assert!(told(&made.map(|_| ()).unwrap_err()).1.contains("events:TagResource"));
    let put = kit.call::<PutRule, _>(events, &user, rule(Some(tags()))).await;
    assert!(told(&put.map(|_| ()).unwrap_err()).1.contains("events:TagResource"));
    assert!(kit.call::<CreateEventBus, _>(events, &user, bus(None)).await.is_ok());
    assert!(kit.call::<PutRule, _>(events, &user, rule(None)).await.is_ok());
    // They are not looked at where the rule is there.
    assert!(kit.call::<PutRule, _>(events, &user, rule(Some(tags()))).await.is_ok());
}

#[tokio::test]
async fn a_target_is_of_this_partition() {
    let fixture = Fixture::new().await;
    let rule = PutRuleRequest {
        name: "r".to_owned(),
        event_pattern: Some(r#"{"source": ["x"]}"#.to_owned()),
        ..Default::default()
    };
    fixture.kit.call::<PutRule, _>(&*fixture.events, &fixture.root, rule).await.unwrap();
    for (partition, fails) in [("aws", false), ("aws-cn", true), ("x", true), ("", true)] {
        let mut target = queue("q");
        target.arn = target.arn.replacen("arn:aws:", &format!("arn:{partition}:"), 1);
        let rule = "r".to_owned();
        let input = PutTargetsRequest { rule, targets: vec![target], ..Default::default() };
        let put = fixture.kit.call::<PutTargets, _>(&*fixture.events, &fixture.root, input).await;
        let failed = put.map_or(true, |put| put.failed_entry_count != Some(0));
        assert_eq!(failed, fails, "{partition}");
    }
}
