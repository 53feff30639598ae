//! What policies see of queues, and whose dead letters a queue takes.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{CreateQueue, SendMessage, TagQueue};
use haechi_sqs_model::shapes::{
    CreateQueueRequest, MessageAttributeValue, SendMessageRequest, TagQueueRequest,
};
use haechi_testkit::told;
use haechi_wire::Problem;

use super::{ACCOUNT, Fixture};

fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.map_or_else(|problem| told(&problem).0, |_| "done")
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn message(queue: &str) -> SendMessageRequest {
    SendMessageRequest {
        queue_url: queue.to_owned(),
        message_body: "m".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn policies_see_the_tags_of_queues_and_those_of_requests() {
    let fixture = Fixture::new("q", &[]).await;
    let all = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sqs:*","Resource":"*"},
        {"Effect":"Deny","Action":"sqs:SendMessage","Resource":"*",
         "Condition":{"StringEquals":{"aws:ResourceTag/Team":"x"}}},
        {"Effect":"Deny","Action":["sqs:CreateQueue","sqs:TagQueue"],"Resource":"*",
         "Condition":{"Null":{"aws:RequestTag/Owner":"true"}}}]}"#;
    let user = fixture.kit.user(ACCOUNT, "u", &[all]);
    let send = async || {
        code(fixture.kit.call::<SendMessage, _>(&fixture.sqs, &user, message(&fixture.queue)).await)
    };
    let tag = async |pairs: &[(&str, &str)]| {
        let input = TagQueueRequest { queue_url: fixture.queue.clone(), tags: tags(pairs) };
        code(fixture.kit.call::<TagQueue, _>(&fixture.sqs, &user, input).await)
    };
    assert_eq!(send().await, "done");
    assert_eq!(tag(&[("Team", "x")]).await, "AccessDeniedException");
    assert_eq!(tag(&[("Team", "x"), ("Owner", "me")]).await, "done");
    assert_eq!(send().await, "AccessDeniedException");
    let create = async |name: &str, pairs: &[(&str, &str)]| {
        let input = CreateQueueRequest {
            queue_name: name.to_owned(),
            tags: Some(tags(pairs)),
            ..Default::default()
        };
        code(fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &user, input).await)
    };
    assert_ne!(create("n", &[]).await, "done");
    assert_eq!(create("n", &[("Owner", "me")]).await, "done");
}

#[tokio::test]
async fn a_dead_letter_queue_takes_from_whom_it_allows_and_of_its_own_kind() {
    let fixture = Fixture::new("dead", &[]).await;
    let arn = |name: &str| format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}");
    let create = async |name: &str, attributes: &[(&str, String)]| {
        let pairs = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let input = CreateQueueRequest {
            queue_name: name.to_owned(),
            attributes: Some(pairs.collect()),
            ..Default::default()
        };
        code(fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await)
    };
    let redrive = |name: &str| {
        let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#, arn(name));
        ("RedrivePolicy", policy)
    };
    let allow = |text: String| ("RedriveAllowPolicy", text);
    let nobody = allow(r#"{"redrivePermission":"denyAll"}"#.to_owned());
    let one = allow(format!(
        r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{}"]}}"#,
        arn("chosen")
    ));
    assert_eq!(create("closed", &[nobody]).await, "done");
    assert_eq!(create("picky", &[one]).await, "done");
    assert_ne!(create("wrong", &[allow(r#"{"redrivePermission":"x"}"#.to_owned())]).await, "done");
    assert_ne!(create("a", &[redrive("closed")]).await, "done");
    assert_ne!(create("b", &[redrive("picky")]).await, "done");
    assert_eq!(create("chosen", &[redrive("picky")]).await, "done");
    assert_eq!(create("c", &[redrive("dead")]).await, "done");
    let fifo = ("FifoQueue", "True".to_owned());
    assert_eq!(create("f.fifo", std::slice::from_ref(&fifo)).await, "done");
    assert_ne!(create("d.fifo", &[fifo, redrive("dead")]).await, "done");
}

#[tokio::test]
async fn attributes_of_messages_have_names_and_texts_as_aws_takes_them() {
    let fixture = Fixture::new("q", &[]).await;
    let send = async |name: &str, text: &str| {
        let value = MessageAttributeValue {
            data_type: "String".to_owned(),
            string_value: Some(text.to_owned()),
            ..Default::default()
        };
        let mut input = message(&fixture.queue);
        input.message_attributes = Some(BTreeMap::from([(name.to_owned(), value)]));
        code(fixture.kit.call::<SendMessage, _>(&fixture.sqs, &fixture.root, input).await)
    };
    for name in ["", "AWS.x", "amazon.y", ".x", "x.", "x..y", "x^", &"a".repeat(257)] {
        assert_ne!(send(name, "v").await, "done", "{name}");
    }
    assert_ne!(send("x", "\u{1}").await, "done");
    for name in ["a", "a.b-c_d", "AWSx", &"a".repeat(256)] {
        assert_eq!(send(name, "v").await, "done", "{name}");
    }
}
