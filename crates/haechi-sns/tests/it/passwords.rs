//! Passwords in the URLs of endpoints.

use haechi_core::Handle;
use haechi_sns_model::ops::{
    GetSubscriptionAttributes, ListSubscriptions, ListSubscriptionsByTopic, Subscribe,
};
use haechi_sns_model::shapes::{
    GetSubscriptionAttributesInput, ListSubscriptionsByTopicInput, ListSubscriptionsInput,
    SubscribeInput,
};
use haechi_wire::Problem;

use super::{ACCOUNT, Fixture};

const URL: &str = "https://user:hunter2@localhost/hook";
const SHOWN: &str = "https://user:****@localhost/hook";

fn subscription(fixture: &Fixture, protocol: &str) -> SubscribeInput {
    SubscribeInput {
        topic_arn: fixture.topic.clone(),
        protocol: protocol.to_owned(),
        endpoint: Some(URL.to_owned()),
        attributes: None,
        return_subscription_arn: Some(true),
    }
}

#[tokio::test]
async fn the_password_of_an_endpoint_is_used_and_never_shown() {
    let fixture = Fixture::new("t").await;
    let (kit, sns, root) = (&fixture.kit, &*fixture.sns, &fixture.root);
    let subscribe = async || {
        let call = kit.call::<Subscribe, _>(sns, root, subscription(&fixture, "https"));
        call.await.unwrap().subscription_arn.unwrap()
    };
    let arn = subscribe().await;
    assert_eq!(subscribe().await, arn, "it is known by its own URL");
    let input = ListSubscriptionsInput::default();
    let all = kit.call::<ListSubscriptions, _>(sns, root, input).await.unwrap();
    let input =
        ListSubscriptionsByTopicInput { topic_arn: fixture.topic.clone(), next_token: None };
    let of_topic = kit.call::<ListSubscriptionsByTopic, _>(sns, root, input).await.unwrap();
    for listed in [all.subscriptions.unwrap(), of_topic.subscriptions.unwrap()] {
        let endpoints: Vec<_> = listed.into_iter().map(|one| one.endpoint.unwrap()).collect();
        assert_eq!(endpoints, [SHOWN]);
    }
    let input = GetSubscriptionAttributesInput { subscription_arn: arn };
    let shown = kit.call::<GetSubscriptionAttributes, _>(sns, root, input).await.unwrap();
    assert_eq!(shown.attributes.unwrap()["Endpoint"], SHOWN);
    fixture.run().await;
    let got = fixture.got();
    assert!(!got.is_empty() && got.iter().all(|(url, _)| url == URL), "{got:?}");
}

#[tokio::test]
async fn conditions_see_a_password_and_the_record_of_a_denial_does_not() {
    let fixture = Fixture::new("t").await;
    let kit = &fixture.kit;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Action":"sns:Subscribe","Resource":"*"}},
        {{"Effect":"Deny","Action":"sns:Subscribe","Resource":"*",
         "Condition":{{"StringEquals":{{"sns:Endpoint":"{URL}"}}}}}}]}}"#
    );
    let user = kit.user(ACCOUNT, "u", &[&policy]);
    let cx = kit.cx::<Subscribe>(&user);
    let input = subscription(&fixture, "https");
    let refused = Handle::<Subscribe>::handle(&*fixture.sns, &cx, input).await.err().unwrap();
    assert!(Problem::from(refused).message().contains("with an explicit deny"));
    let record = cx.refused().unwrap();
    assert_eq!(record.context["sns:endpoint"], [SHOWN]);
    assert!(!record.to_json().contains("hunter2"));
}

#[tokio::test]
async fn what_is_no_telephone_number_is_repeated_without_its_password() {
    let fixture = Fixture::new("t").await;
    let input = subscription(&fixture, "sms");
    let refused = fixture.kit.call::<Subscribe, _>(&*fixture.sns, &fixture.root, input).await;
    let words = format!("Invalid parameter: Invalid SMS endpoint: {SHOWN}");
    let told = refused.err().unwrap().message();
    assert!(words.ends_with(&told), "{told}");
}
