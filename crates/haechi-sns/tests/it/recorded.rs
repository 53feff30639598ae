//! Answers as AWS gave them, recorded in LocalStack's snapshots.

use haechi_sns_model::ops::{
    GetSubscriptionAttributes, GetTopicAttributes, Publish, SetSubscriptionAttributes,
    SetTopicAttributes,
};
use haechi_sns_model::shapes::{
    GetSubscriptionAttributesInput, GetTopicAttributesInput, PublishInput,
    SetSubscriptionAttributesInput, SetTopicAttributesInput,
};
use haechi_testkit::told;
use haechi_wire::{Problem, SecretString};

use crate::fixture::{ACCOUNT, Fixture};

impl Fixture {
    async fn set_attribute(&self, name: &str, value: &str) -> Result<Option<String>, Problem> {
        let input = SetTopicAttributesInput {
            topic_arn: self.topic.clone(),
            attribute_name: name.to_owned(),
            attribute_value: Some(value.to_owned()),
        };
        self.kit.call::<SetTopicAttributes, _>(&*self.sns, &self.root, input).await?;
        let input = GetTopicAttributesInput { topic_arn: self.topic.clone() };
        let call = self.kit.call::<GetTopicAttributes, _>(&*self.sns, &self.root, input);
        Ok(call.await?.attributes.and_then(|mut shown| shown.remove(name)))
    }

    async fn set_policy(&self, policy: &str) -> Option<String> {
        self.set_attribute("DeliveryPolicy", policy).await.unwrap()
    }

    async fn refused(&self, input: PublishInput) -> String {
        let answer = self.kit.call::<Publish, _>(&*self.sns, &self.root, input).await;
        answer.err().unwrap().message()
    }
}

#[tokio::test]
async fn a_topics_delivery_policy_is_shown_without_what_is_null() {
    let fixture = Fixture::new("t").await;
    for (set, shown) in [
        (
            r#"{"http": {"defaultRequestPolicy": {"headerContentType": "application/json"}}}"#,
            r#"{"http":{"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"application/json"}}}"#,
        ),
        (
            r#"{"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 6, "numRetries": 1}}}"#,
            r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1},"disableSubscriptionOverrides":false}}"#,
        ),
        (
            r#"{"http": {"defaultHealthyRetryPolicy": null}}"#,
            r#"{"http":{"disableSubscriptionOverrides":false}}"#,
        ),
    ] {
        assert_eq!(fixture.set_policy(set).await.as_deref(), Some(shown));
    }
    assert_eq!(fixture.set_policy("").await, None);
}

#[tokio::test]
async fn what_cannot_be_published_to_is_named() {
    let fixture = Fixture::new("t").await;
    let message = |topic: Option<&str>, target: Option<&str>, number: Option<&str>| PublishInput {
        topic_arn: topic.map(str::to_owned),
        target_arn: target.map(str::to_owned),
        phone_number: number.map(|number| SecretString(number.to_owned())),
        message: "a".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        fixture.refused(message(Some(""), None, None)).await,
        "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"
    );
    let device = format!("arn:aws:sns:us-east-1:{ACCOUNT}:endpoint/APNS/app/id");
    assert_eq!(
        fixture.refused(message(None, Some(&device), None)).await,
        "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"
    );
    for number in ["+1a234", "NAA+15551234567"] {
        assert_eq!(
            fixture.refused(message(None, None, Some(number))).await,
            format!("Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to")
        );
    }
}

#[tokio::test]
async fn a_nested_filter_is_refused_by_its_scope() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    let subscription_arn = fixture.listed().await.remove(0);
    let input = SetSubscriptionAttributesInput {
        subscription_arn,
        attribute_name: "FilterPolicy".to_owned(),
        attribute_value: Some(r#"{"object": {"key": [{"prefix": "auto-"}]}}"#.to_owned()),
    };
    let call =
        fixture.kit.call::<SetSubscriptionAttributes, _>(&*fixture.sns, &fixture.root, input);
    assert_eq!(
        call.await.err().unwrap().message(),
        "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"
    );
}

#[tokio::test]
async fn telephone_numbers_that_are_none_are_refused_as_such() {
    let fixture = Fixture::new("t").await;
    for number in ["invalid-number", "+15--551234567", "+15551234567.", "/+15551234567"] {
        let refused = fixture.subscribe_as(&fixture.root, "sms", number).await.unwrap_err();
        assert_eq!(refused.message(), format!("Invalid SMS endpoint: {number}"));
    }
    let refused = fixture.subscribe_as(&fixture.root, "sms", "+15551234567").await.unwrap_err();
    assert!(refused.message().contains("Protocol=sms"), "it is one, and not done");
}

#[tokio::test]
async fn a_policy_is_shown_in_one_line() {
    let fixture = Fixture::new("t").await;
    let policy = r#"{
        "Version": "2012-10-17", "Id": "a b",
        "Statement": [ { "Effect": "Allow", "Principal": { "AWS": "*" },
                         "Action": "SNS:Publish", "Resource": "*" } ]
    }"#;
    let shown = fixture.set_attribute("Policy", policy).await.unwrap();
    let expected = r#"{"Version":"2012-10-17","Id":"a b","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:Publish","Resource":"*"}]}"#;
    assert_eq!(shown.as_deref(), Some(expected));
}

/// As Terraform's provider sets them on each topic.
#[tokio::test]
async fn rates_of_delivery_logs_are_kept_and_logs_themselves_are_not_done() {
    let fixture = Fixture::new("t").await;
    for kind in ["Application", "Firehose", "HTTP", "Lambda", "SQS"] {
        let name = format!("{kind}SuccessFeedbackSampleRate");
        assert_eq!(fixture.set_attribute(&name, "0").await.unwrap().as_deref(), Some("0"));
        assert_eq!(
            told(&fixture.set_attribute(&name, "101").await.unwrap_err()).0,
            "InvalidParameter"
        );
        for name in ["SuccessFeedbackRoleArn", "FailureFeedbackRoleArn"] {
            let name = format!("{kind}{name}");
            assert_eq!(fixture.set_attribute(&name, "").await.unwrap(), None);
            let role = format!("arn:aws:iam::{ACCOUNT}:role/logs");
            let problem = fixture.set_attribute(&name, &role).await.unwrap_err();
            assert_eq!(told(&problem).0, "UnsupportedOperation");
        }
    }
}

#[tokio::test]
async fn a_subscription_of_a_queue_may_have_a_delivery_policy_that_it_does_not_go_by() {
    let fixture = Fixture::new("t").await;
    let policy =
        r#"{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":20,"numRetries":5}}"#;
    let arn = fixture.subscribe_queue("q", &[("DeliveryPolicy", policy)]).await;
    let input = GetSubscriptionAttributesInput { subscription_arn: arn };
    let call =
        fixture.kit.call::<GetSubscriptionAttributes, _>(&*fixture.sns, &fixture.root, input);
    let shown = call.await.unwrap().attributes.unwrap();
    assert_eq!(shown.get("DeliveryPolicy").map(String::as_str), Some(policy));
}
