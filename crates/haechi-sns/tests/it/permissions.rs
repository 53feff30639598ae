//! Whom policies of topics name.

use haechi_sns_model::ops::{
    AddPermission, CreateTopic, Publish, RemovePermission, SetTopicAttributes,
};
use haechi_sns_model::shapes::{
    AddPermissionInput, CreateTopicInput, PublishInput, RemovePermissionInput,
    SetTopicAttributesInput,
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
