//! Topics as time passes, and as endpoints fail.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod encryption;
mod fixture;
mod passwords;
mod permissions;
mod recorded;

use fixture::{ACCOUNT, Fixture, OTHER};
use haechi_core::Job;
use haechi_core::Path;
use haechi_sns_model::ops::{
    ConfirmSubscription, DeleteTopic, GetSubscriptionAttributes, GetTopicAttributes,
    ListSubscriptions, ListSubscriptionsByTopic, SetTopicAttributes, Unsubscribe,
};
use haechi_sns_model::shapes::{
    ConfirmSubscriptionInput, DeleteTopicInput, GetSubscriptionAttributesInput,
    GetTopicAttributesInput, ListSubscriptionsByTopicInput, ListSubscriptionsInput,
    SetTopicAttributesInput, UnsubscribeInput,
};
use haechi_wire::Protocol;

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_message_reaches_its_subscribers_once_it_was_acknowledged() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    fixture.publish("a").await;
    assert!(fixture.got().is_empty(), "nothing is delivered before the answer");
    fixture.run().await;
    assert_eq!(fixture.got().len(), 1);
    fixture.run().await;
    assert_eq!(fixture.got().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_tried_again_in_time_and_then_given_up() {
    let fixture = Fixture::new("t").await;
    let redrive = r#"{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111122223333:dead"}"#;
    fixture.subscribe_http(&[("RedrivePolicy", redrive)]).await;
    fixture.fail("hook", usize::MAX);
    fixture.publish("a").await;
    // The default policy: three more tries, each after 20 seconds.
    for tries in 1..=4 {
        fixture.run().await;
        assert_eq!(fixture.tries("hook"), tries);
        fixture.kit.clock.advance(19);
        fixture.run().await;
        assert_eq!(fixture.tries("hook"), tries, "too early");
        fixture.kit.clock.advance(1);
    }
    let got = fixture.got();
    assert_eq!(got.len(), 1);
    assert!(got[0].0.ends_with(":dead") && got[0].1.contains("\"Message\" : \"a\""));
    fixture.kit.clock.advance(DAY);
    fixture.run().await;
    assert_eq!(fixture.tries("hook"), 4);
}

#[tokio::test]
async fn a_refusal_for_good_is_not_tried_again() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    fixture.refuse("q");
    fixture.publish("a").await;
    fixture.run().await;
    fixture.kit.clock.advance(DAY);
    fixture.run().await;
    assert_eq!(fixture.tries(":q"), 1);
    assert_eq!(fixture.jobs().await, 0);
}

#[tokio::test]
async fn a_subscription_that_nobody_confirms_ends_after_three_days() {
    let fixture = Fixture::new("t").await;
    let (token, _) = fixture.ask_http().await;
    fixture.kit.clock.advance(3 * DAY - 1);
    fixture.run().await;
    assert_eq!(fixture.listed().await, ["PendingConfirmation"]);
    fixture.kit.clock.advance(1);
    let input = ConfirmSubscriptionInput {
        topic_arn: fixture.topic.clone(),
        token,
        authenticate_on_unsubscribe: None,
    };
    let call = fixture.kit.call::<ConfirmSubscription, _>(&*fixture.sns, &fixture.root, input);
    let problem = call.await.err().unwrap();
    assert_eq!(problem.message(), "Invalid parameter: Token");
    fixture.run().await;
    assert!(fixture.listed().await.is_empty());
    assert_eq!((fixture.rows().await, fixture.jobs().await), (0, 0));
}

#[tokio::test]
async fn a_deleted_topic_leaves_nothing_and_its_name_is_free() {
    let fixture = Fixture::new("t.fifo").await;
    for number in 0..70 {
        fixture.subscribe_queue(&format!("q{number}.fifo"), &[]).await;
    }
    for number in 0..30 {
        fixture.publish_in("g", &number.to_string()).await;
    }
    let input = DeleteTopicInput { topic_arn: fixture.topic.clone() };
    fixture.kit.call::<DeleteTopic, _>(&*fixture.sns, &fixture.root, input).await.unwrap();
    for _ in 0..12 {
        fixture.run().await;
        fixture.kit.clock.advance(1);
    }
    fixture.kit.clock.advance(3600);
    fixture.run().await;
    assert_eq!((fixture.rows().await, fixture.jobs().await), (0, 0));
}

#[tokio::test]
async fn a_fifo_topic_waits_for_an_endpoint_and_keeps_the_order() {
    let fixture = Fixture::new("t.fifo").await;
    fixture.subscribe_queue("q.fifo", &[("RawMessageDelivery", "true")]).await;
    fixture.fail(":q.fifo", 2);
    for text in ["a", "b", "c"] {
        fixture.publish_in("g", text).await;
    }
    for _ in 0..4 {
        fixture.run().await;
        fixture.kit.clock.advance(1);
    }
    let bodies: Vec<String> = fixture.got().into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
    // What it is known by is free again after five minutes, and forgotten in an hour.
    fixture.publish_in("g", "a").await;
    fixture.run().await;
    assert_eq!(fixture.got().len(), 3);
    fixture.kit.clock.advance(300);
    fixture.publish_in("g", "a").await;
    fixture.run().await;
    assert_eq!(fixture.got().len(), 4);
    fixture.kit.clock.advance(2 * 3600);
    fixture.run().await;
    assert_eq!(fixture.waiting_rows().await, 0);
}

#[tokio::test]
async fn many_subscribers_get_a_long_message() {
    let fixture = Fixture::new("t").await;
    for number in 0..150 {
        fixture.subscribe_queue(&format!("q{number}"), &[("RawMessageDelivery", "true")]).await;
    }
    let long = "\"\\".repeat(262_144 / 2);
    fixture.publish(&long).await;
    fixture.run().await;
    let got = fixture.got();
    assert_eq!(got.len(), 150);
    assert!(got.iter().all(|(_, body)| *body == long));
}

#[tokio::test]
async fn another_account_subscribes_if_the_topic_lets_it_and_owns_what_it_subscribed() {
    let fixture = Fixture::new("t").await;
    let other = fixture.kit.root(OTHER);
    let queue = format!("arn:aws:sqs:us-east-1:{OTHER}:q");
    let problem = fixture.subscribe_as(&other, "sqs", &queue).await.err().unwrap();
    assert_eq!(problem.code(Protocol::Query), "AuthorizationError");
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{OTHER}"}}, "Action": "sns:Subscribe", "Resource": "{}"}}]}}"#,
        fixture.topic
    );
    let input = SetTopicAttributesInput {
        topic_arn: fixture.topic.clone(),
        attribute_name: "Policy".to_owned(),
        attribute_value: Some(policy),
    };
    fixture.kit.call::<SetTopicAttributes, _>(&*fixture.sns, &fixture.root, input).await.unwrap();
    // His own queue: nobody else has to agree.
    let arn = fixture.subscribe_as(&other, "sqs", &queue).await.unwrap();
    let (kit, sns) = (&fixture.kit, &*fixture.sns);
    let mut found = Vec::new();
    let mut next_token = None;
    loop {
        let input = ListSubscriptionsInput { next_token };
        let page = kit.call::<ListSubscriptions, _>(sns, &other, input).await.unwrap();
        found.extend(page.subscriptions.unwrap());
        next_token = page.next_token;
        if next_token.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subscription_arn.as_ref(), Some(&arn));
    let input = GetSubscriptionAttributesInput { subscription_arn: arn.clone() };
    let shown = kit.call::<GetSubscriptionAttributes, _>(sns, &other, input).await.unwrap();
    assert_eq!(shown.attributes.unwrap()["Owner"], OTHER);
    let stranger = kit.root("777788889999");
    let input = UnsubscribeInput { subscription_arn: arn.clone() };
    let problem = kit.call::<Unsubscribe, _>(sns, &stranger, input.clone()).await.err().unwrap();
    assert_eq!(problem.code(Protocol::Query), "AuthorizationError");
    kit.call::<Unsubscribe, _>(sns, &other, input).await.unwrap();
    assert_eq!(fixture.rows().await, 0);
}

#[tokio::test]
async fn a_queue_of_another_account_is_asked_first() {
    let fixture = Fixture::new("t").await;
    let queue = format!("arn:aws:sqs:us-east-1:{OTHER}:q");
    let told = fixture.subscribe_as(&fixture.root, "sqs", &queue).await.unwrap();
    assert_eq!(told, "pending confirmation");
    fixture.publish("too early").await;
    fixture.run().await;
    let got = fixture.got();
    assert_eq!(got.len(), 1);
    let asked: serde_json::Value = serde_json::from_str(&got[0].1).unwrap();
    assert_eq!(asked["Type"], "SubscriptionConfirmation");
    let input = ConfirmSubscriptionInput {
        topic_arn: fixture.topic.clone(),
        token: asked["Token"].as_str().unwrap().to_owned(),
        authenticate_on_unsubscribe: None,
    };
    // Whoever reads the queue confirms.
    let other = fixture.kit.root(OTHER);
    fixture.kit.call::<ConfirmSubscription, _>(&*fixture.sns, &other, input).await.unwrap();
    fixture.publish("now").await;
    fixture.run().await;
    assert_eq!(fixture.got().len(), 2);
}

#[tokio::test]
async fn a_topic_counts_its_subscriptions() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    fixture.ask_http().await;
    let input = GetTopicAttributesInput { topic_arn: fixture.topic.clone() };
    let (kit, sns) = (&fixture.kit, &*fixture.sns);
    let shown = kit.call::<GetTopicAttributes, _>(sns, &fixture.root, input).await.unwrap();
    let shown = shown.attributes.unwrap();
    assert_eq!((&*shown["SubscriptionsConfirmed"], &*shown["SubscriptionsPending"]), ("1", "1"));
    assert_eq!(shown["Owner"], ACCOUNT);
    let jobs = kit.database.list::<Job>(&Path::new("jobs"), None, 10).await.unwrap();
    assert!(jobs.items.iter().all(|job| !job.value.id.contains("hook")), "names stay sealed");
    let input = ListSubscriptionsByTopicInput {
        topic_arn: fixture.topic.clone(),
        next_token: Some("%".to_owned()),
    };
    let call = kit.call::<ListSubscriptionsByTopic, _>(sns, &fixture.root, input);
    assert_eq!(call.await.err().unwrap().message(), "Invalid parameter: NextToken");
}
