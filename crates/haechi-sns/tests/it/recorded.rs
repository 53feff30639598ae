//! Answers as AWS gave them, recorded in LocalStack's snapshots.

use haechi_sns_model::ops::{
    GetTopicAttributes, Publish, SetSubscriptionAttributes, SetTopicAttributes,
};
use haechi_sns_model::shapes::{
    GetTopicAttributesInput, PublishInput, SetSubscriptionAttributesInput, SetTopicAttributesInput,
};
use haechi_wire::SecretString;

use crate::fixture::{ACCOUNT, Fixture};

impl Fixture {
    async fn set_policy(&self, policy: &str) -> Option<String> {
        let input = SetTopicAttributesInput {
            topic_arn: self.topic.clone(),
            attribute_name: "DeliveryPolicy".to_owned(),
            attribute_value: Some(policy.to_owned()),
        };
        self.kit.call::<SetTopicAttributes, _>(&*self.sns, &self.root, input).await.unwrap();
        let input = GetTopicAttributesInput { topic_arn: self.topic.clone() };
        let call = self.kit.call::<GetTopicAttributes, _>(&*self.sns, &self.root, input);
        call.await.unwrap().attributes.unwrap().remove("DeliveryPolicy")
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
