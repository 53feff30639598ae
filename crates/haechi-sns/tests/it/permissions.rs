//! Whom policies of topics name.

use haechi_sns_model::ops::{
    AddPermission, CreateTopic, Publish, RemovePermission, SetSubscriptionAttributes,
    SetTopicAttributes,
};
use haechi_sns_model::shapes::{
    AddPermissionInput, CreateTopicInput, PublishInput, RemovePermissionInput,
    SetSubscriptionAttributesInput, SetTopicAttributesInput, Tag,
};
use haechi_testkit::told;
use haechi_wire::Problem;

use crate::fixture::{ACCOUNT, Fixture, OTHER};

/// A policy that lets a user publish.
fn naming(name: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"SNS:Publish",
        "Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/{name}"}},"Resource":"*"}}]}}"#
    )
}

impl Fixture {
    async fn name(&self, name: &str) -> Result<(), Problem> {
        let input = SetTopicAttributesInput {
            topic_arn: self.topic.clone(),
            attribute_name: "Policy".to_owned(),
            attribute_value: Some(naming(name)),
        };
        self.kit.call::<SetTopicAttributes, _>(&*self.sns, &self.root, input).await.map(|_| ())
    }

    async fn bob_publishes(&self) -> bool {
        let input = PublishInput {
            topic_arn: Some(self.topic.clone()),
            message: "m".to_owned(),
            ..Default::default()
        };
        let bob = self.kit.user(ACCOUNT, "bob", &[]);
        match self.kit.call::<Publish, _>(&*self.sns, &bob, input).await {
            Ok(_) => true,
            Err(problem) => {
                assert_eq!(told(&problem).0, "AuthorizationError");
                false
            }
        }
    }
}

#[tokio::test]
async fn a_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let fixture = Fixture::new("t").await;
    let directory = fixture.kit.directory();
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    directory.make(&bob, "AIDAOFANEARLIERBOB");
    fixture.name("bob").await.unwrap();
    assert!(!fixture.bob_publishes().await);
    directory.make(&bob, "AIDATESTBOB");
    // What is added to the policy leaves its other statements as they are.
    let add = AddPermissionInput {
        topic_arn: fixture.topic.clone(),
        label: "x".to_owned(),
        aws_account_id: vec![OTHER.to_owned()],
        action_name: vec!["Publish".to_owned()],
    };
    fixture.kit.call::<AddPermission, _>(&*fixture.sns, &fixture.root, add).await.unwrap();
    assert!(!fixture.bob_publishes().await);
    fixture.name("bob").await.unwrap();
    assert!(fixture.bob_publishes().await);
}

#[tokio::test]
async fn a_topic_without_its_last_statement_serves_whom_identities_allow() {
    let fixture = Fixture::new("t").await;
    let (topic_arn, label) = (fixture.topic.clone(), "__default_statement_ID".to_owned());
    let remove = RemovePermissionInput { topic_arn: topic_arn.clone(), label };
    fixture.kit.call::<RemovePermission, _>(&*fixture.sns, &fixture.root, remove).await.unwrap();
    fixture.publish("of the root user's").await;
    assert!(!fixture.bob_publishes().await);
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    fixture.kit.directory().make(&bob, "AIDATESTBOB");
    fixture.name("bob").await.unwrap();
    assert!(fixture.bob_publishes().await);
}

#[tokio::test]
async fn a_policy_names_only_users_who_exist() {
    let mut fixture = Fixture::new("t").await;
    fixture.kit.directory().make(&format!("arn:aws:iam::{ACCOUNT}:user/bob"), "AIDATESTBOB");
    let words = "Invalid parameter: Policy Error: PrincipalNotFound";
    let refused = |problem: Problem| assert_eq!(problem.message(), words);
    refused(fixture.name("ghost").await.unwrap_err());
    let create = async |name: &str| {
        let attributes = [("Policy".to_owned(), naming(name))].into();
        let input = CreateTopicInput {
            name: "new".to_owned(),
            attributes: Some(attributes),
            ..Default::default()
        };
        fixture.kit.call::<CreateTopic, _>(&*fixture.sns, &fixture.root, input).await
    };
    refused(create("ghost").await.err().unwrap());
    assert!(!fixture.bob_publishes().await);
    let named = create("bob").await;
    fixture.topic = named.unwrap().topic_arn.unwrap();
    assert!(fixture.bob_publishes().await);
}

#[tokio::test]
async fn a_topic_is_made_with_tags_by_whom_tagging_is_allowed() {
    let fixture = Fixture::new("t").await;
    let user = fixture.kit.user(
        ACCOUNT,
        "u",
        &[r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sns:CreateTopic","Resource":"*"},
        {"Effect":"Allow","Action":"sns:TagResource","Resource":"arn:aws:sns:*:*:a-*",
         "Condition":{"StringEquals":{"aws:RequestTag/Team":"x"}}}]}"#],
    );
    let create = async |name: &str, team: Option<&str>| {
        let tag = |team: &str| Tag { key: "Team".to_owned(), value: team.to_owned() };
        let input = CreateTopicInput {
            name: name.to_owned(),
            tags: Some(team.map(tag).into_iter().collect()),
            ..Default::default()
        };
        let outcome = fixture.kit.call::<CreateTopic, _>(&*fixture.sns, &user, input).await;
        outcome.map_or_else(|problem| told(&problem), |_| ("done", String::new()))
    };
    let (code, words) = create("a-1", Some("y")).await;
    assert_eq!(code, "AuthorizationError");
    assert!(words.contains("perform: SNS:TagResource on resource"), "{words}");
    assert_eq!(create("b-1", Some("x")).await.0, "AuthorizationError");
    assert_eq!(create("a-1", Some("x")).await.0, "done");
    assert_eq!(create("a-1", Some("x")).await.0, "done");
    assert_eq!(create("b-1", None).await.0, "done");
}

#[tokio::test]
async fn endpoints_are_named_by_the_arns_that_their_services_write() {
    let fixture = Fixture::new("t").await;
    let subscribe = async |protocol: &str, endpoint: &str| {
        fixture.subscribe_as(&fixture.root, protocol, endpoint).await.map_err(|no| no.message())
    };
    let queue = format!("us-east-1:{ACCOUNT}:q");
    for other in [
        format!("arn:aws-cn:sqs:{queue}"),
        format!("arn:x:sqs:{queue}"),
        format!("arn:aws:sqs:{queue}:x"),
        format!("arn:aws:sqs:us-east-1:{ACCOUNT}:"),
        "arn:aws:sqs:us-east-1:1:q".to_owned(),
        format!("arn:aws:sqs::{ACCOUNT}:q"),
        format!("arn:aws-cn:sqs:cn-north-1:{ACCOUNT}:q"),
        format!("arn:aws:sqs:cn-north-1:{ACCOUNT}:q"),
    ] {
        let refused = subscribe("sqs", &other).await.unwrap_err();
        assert_eq!(refused, "Invalid parameter: SQS endpoint ARN", "{other}");
    }
    let function = format!("us-east-1:{ACCOUNT}:function:f");
    for other in [
        format!("arn:aws-cn:lambda:{function}"),
        format!("arn:x:lambda:{function}"),
        format!("arn:aws:lambda:{function}:live:x"),
        format!("arn:aws:lambda:{function}:"),
        format!("arn:aws:lambda:us-east-1:{ACCOUNT}:f"),
    ] {
        let refused = subscribe("lambda", &other).await.unwrap_err();
        assert_eq!(refused, "Invalid parameter: Lambda endpoint ARN", "{other}");
    }
    for (protocol, own) in [
        ("sqs", format!("arn:aws:sqs:{queue}")),
        ("sqs", format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:q")),
        ("lambda", format!("arn:aws:lambda:{function}")),
        ("lambda", format!("arn:aws:lambda:{function}:live")),
    ] {
        subscribe(protocol, &own).await.unwrap();
    }
}

#[tokio::test]
async fn dead_letters_of_a_subscription_go_to_a_queue_of_its_partition() {
    let fixture = Fixture::new("t").await;
    let arn = fixture.subscribe_queue("q", &[]).await;
    let redrive = async |partition: &str| {
        let queue = format!("arn:{partition}:sqs:us-east-1:{ACCOUNT}:dead");
        let input = SetSubscriptionAttributesInput {
            subscription_arn: arn.clone(),
            attribute_name: "RedrivePolicy".to_owned(),
            attribute_value: Some(format!(r#"{{"deadLetterTargetArn":"{queue}"}}"#)),
        };
        let call =
            fixture.kit.call::<SetSubscriptionAttributes, _>(&*fixture.sns, &fixture.root, input);
        call.await.map(|_| ()).map_err(|problem| problem.message())
    };
    let words = "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn";
    assert_eq!(redrive("aws-cn").await.unwrap_err(), words);
    redrive("aws").await.unwrap();
}
