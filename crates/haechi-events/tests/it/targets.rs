//! What rules and their targets may be.

use haechi_events_model::ops::{
    CreateEventBus, DescribeRule, ListTargetsByRule, PutRule, PutTargets, TagResource,
};
use haechi_events_model::shapes::{
    CreateEventBusRequest, DeadLetterConfig, DescribeRuleRequest, InputTransformer,
    ListTargetsByRuleRequest, PutRuleRequest, PutTargetsRequest, Tag, TagResourceRequest, Target,
};
use haechi_testkit::told;

use super::{ACCOUNT, DEAD, Fixture, queue};

const ROLE: &str = "arn:aws:iam::111122223333:role/sender";
const OTHER_BUS: &str = "arn:aws:events:us-east-1:444455556666:event-bus/default";

fn rule(role: Option<&str>) -> PutRuleRequest {
    PutRuleRequest {
        name: "r".to_owned(),
        event_pattern: Some(r#"{"source": ["app"]}"#.to_owned()),
        role_arn: role.map(str::to_owned),
        ..Default::default()
    }
}

fn bus() -> Target {
    Target { id: "bus".to_owned(), arn: OTHER_BUS.to_owned(), ..Default::default() }
}

impl Fixture {
    async fn put_rule(&self, input: PutRuleRequest) -> Result<(), (&'static str, String)> {
        let put = self.kit.call::<PutRule, _>(&*self.events, &self.root, input).await;
        put.map(|_| ()).map_err(|problem| told(&problem))
    }

    async fn put_target(&self, target: Target) -> Result<(), (&'static str, String)> {
        let (rule, targets) = ("r".to_owned(), vec![target]);
        let input = PutTargetsRequest { rule, targets, ..Default::default() };
        let put = self.kit.call::<PutTargets, _>(&*self.events, &self.root, input).await;
        put.map(|_| ()).map_err(|problem| told(&problem))
    }

    async fn role_of_target(&self) -> Option<String> {
        let input = ListTargetsByRuleRequest { rule: "r".to_owned(), ..Default::default() };
        let list = self.kit.call::<ListTargetsByRule, _>(&*self.events, &self.root, input).await;
        list.unwrap().targets.unwrap()[0].role_arn.clone()
    }

    fn let_assume(&self) {
        let role = self.kit.user(ACCOUNT, "role", &[]);
        self.roles.0.lock().unwrap().insert(ROLE.to_owned(), role);
    }
}

#[tokio::test]
async fn the_role_of_a_rule_or_target_must_let_eventbridge_assume_it() {
    let fixture = Fixture::new().await;
    fixture.put_rule(rule(None)).await.unwrap();
    let target = || Target { role_arn: Some(ROLE.to_owned()), ..queue("q") };
    let refused =
        format!("Provided role '{ROLE}' cannot be assumed by principal 'events.amazonaws.com'.");
    let refused = Err(("ValidationException", refused));
    assert_eq!(fixture.put_rule(rule(Some(ROLE))).await, refused);
    assert_eq!(fixture.put_target(target()).await, refused);
    fixture.let_assume();
    fixture.put_rule(rule(Some(ROLE))).await.unwrap();
    fixture.put_target(target()).await.unwrap();
}

#[tokio::test]
async fn the_role_of_another_account_s_bus_stays_until_another_one_is_given() {
    let fixture = Fixture::new().await;
    fixture.let_assume();
    fixture.put_rule(rule(None)).await.unwrap();
    fixture.put_target(Target { role_arn: Some(ROLE.to_owned()), ..bus() }).await.unwrap();
    fixture.put_target(bus()).await.unwrap();
    assert_eq!(fixture.role_of_target().await.as_deref(), Some(ROLE));
    let arn = OTHER_BUS.replace("default", "other");
    fixture.put_target(Target { arn, ..bus() }).await.unwrap();
    assert_eq!(fixture.role_of_target().await, None, "it is another target");
    let own = || Target { id: "bus".to_owned(), ..queue("q") };
    fixture.put_target(Target { role_arn: Some(ROLE.to_owned()), ..own() }).await.unwrap();
    fixture.put_target(own()).await.unwrap();
    assert_eq!(fixture.role_of_target().await, None, "and no bus");
}

#[tokio::test]
async fn another_account_s_bus_gets_the_event_and_nothing_else() {
    let fixture = Fixture::new().await;
    fixture.put_rule(rule(None)).await.unwrap();
    let input_transformer =
        Some(InputTransformer { input_paths_map: None, input_template: "{}".to_owned() });
    for (target, name) in [
        (Target { input: Some("{}".to_owned()), ..bus() }, "Input"),
        (Target { input_path: Some("$.detail".to_owned()), ..bus() }, "InputPath"),
        (Target { input_transformer, ..bus() }, "InputTransformer"),
    ] {
        let expected = format!(
            "{name} is not available for target bus: it is an event bus of a different account."
        );
        assert_eq!(fixture.put_target(target).await, Err(("ValidationException", expected)));
    }
}

#[tokio::test]
async fn an_arn_that_ends_early_is_none() {
    let fixture = Fixture::new().await;
    fixture.put_rule(rule(None)).await.unwrap();
    for arn in ["arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333", "arn:aws:sqs:us-east-1::"] {
        let target = Target { arn: arn.to_owned(), ..queue("q") };
        let expected =
            format!("Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.");
        assert_eq!(fixture.put_target(target).await, Err(("ValidationException", expected)));
    }
}

#[tokio::test]
async fn the_dead_letter_of_a_bus_that_is_gone_says_so() {
    let fixture = Fixture::new().await;
    fixture.put_rule(rule(None)).await.unwrap();
    let arn = OTHER_BUS.replace("default", "none");
    let dead_letter_config = Some(DeadLetterConfig { arn: Some(DEAD.to_owned()) });
    fixture.put_target(Target { arn, dead_letter_config, ..bus() }).await.unwrap();
    fixture.put("{}").await;
    let letter = fixture.queues.got.lock().unwrap()[0].2.attributes.clone();
    assert_eq!(letter["ERROR_CODE"], "NO_RESOURCE");
}

#[tokio::test]
async fn conditions_see_who_made_a_rule_once_it_is_there() {
    let fixture = Fixture::new().await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "events:*",
        "Resource": "*", "Condition": {{"StringEquals": {{"events:creatorAccount": "{ACCOUNT}"}}}}}}}}"#
    );
    let user = fixture.kit.user(ACCOUNT, "u", &[&policy]);
    let (kit, events) = (&fixture.kit, &*fixture.events);
    let put = async || kit.call::<PutRule, _>(events, &user, rule(None)).await.is_ok();
    let tag = async || {
        let resource_arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/r");
        let input = TagResourceRequest { resource_arn, tags: Vec::new() };
        kit.call::<TagResource, _>(events, &user, input).await.is_ok()
    };
    let describe = async || {
        let input = DescribeRuleRequest { name: "r".to_owned(), ..Default::default() };
        kit.call::<DescribeRule, _>(events, &user, input).await.is_ok()
    };
    assert!(!put().await && !tag().await && !describe().await);
    fixture.put_rule(rule(None)).await.unwrap();
    assert!(put().await && tag().await && describe().await);
}

#[tokio::test]
async fn tags_of_aws_s_own_are_not_to_be_put() {
    let fixture = Fixture::new().await;
    let tags = || vec![Tag { key: "AWS:x".to_owned(), value: String::new() }];
    let told_reserved = "Tag keys beginning with aws: are reserved for system use.".to_owned();
    let reserved = Err(("ValidationException", told_reserved));
    assert_eq!(
        fixture.put_rule(PutRuleRequest { tags: Some(tags()), ..rule(None) }).await,
        reserved
    );
    let (kit, events) = (&fixture.kit, &*fixture.events);
    let input =
        CreateEventBusRequest { name: "b".to_owned(), tags: Some(tags()), ..Default::default() };
    let made = kit.call::<CreateEventBus, _>(events, &fixture.root, input).await;
    assert_eq!(made.map(|_| ()).map_err(|problem| told(&problem)), reserved);
    let resource_arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default");
    let input = TagResourceRequest { resource_arn, tags: tags() };
    let tagged = kit.call::<TagResource, _>(events, &fixture.root, input).await;
    assert_eq!(tagged.map(|_| ()).map_err(|problem| told(&problem)), reserved);
}
