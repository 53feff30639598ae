//! What SQS refuses, and what has an end.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{
    ChangeMessageVisibility, CreateQueue, ReceiveMessage, SendMessage, TagQueue,
};
use haechi_sqs_model::shapes::{
    ChangeMessageVisibilityRequest, CreateQueueRequest, ReceiveMessageRequest, SendMessageRequest,
    TagQueueRequest,
};
use haechi_wire::Protocol;

use super::{ACCOUNT, Fixture};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Fixture {
    async fn put(&self, body: &str, group_id: Option<&str>) {
        let input = SendMessageRequest {
            queue_url: self.queue.clone(),
            message_body: body.to_owned(),
            message_group_id: group_id.map(str::to_owned),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&self.sqs, &self.root, input).await.unwrap();
    }

    async fn get(&self) -> Option<haechi_sqs_model::shapes::Message> {
        let input = ReceiveMessageRequest {
            queue_url: self.queue.clone(),
            attribute_names: Some(vec!["All".to_owned()]),
            ..Default::default()
        };
        let answer = self.kit.call::<ReceiveMessage, _>(&self.sqs, &self.root, input).await;
        answer.unwrap().messages.unwrap_or_default().pop()
    }
}

#[tokio::test]
async fn a_queue_that_is_its_own_dead_letter_queue_is_received_from_for_ever() {
    let fixture = Fixture::new("q", &[]).await;
    let own = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
    let policy = format!(r#"{{"deadLetterTargetArn":"{own}","maxReceiveCount":1}}"#);
    fixture.set(&[("VisibilityTimeout", "0"), ("RedrivePolicy", &policy)]).await.unwrap();
    fixture.put("a", None).await;
    for _ in 0..4 {
        assert_eq!(fixture.get().await.unwrap().body.as_deref(), Some("a"));
    }
}

#[tokio::test]
async fn redrive_policies_are_refused_with_what_is_wrong() {
    let fixture = Fixture::new("q", &[]).await;
    for (policy, reason) in [
        ("[]", "Redrive policy is not a valid JSON map."),
        (
            r#"{"maxReceiveCount":1}"#,
            "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
        ),
        (
            r#"{"deadLetterTargetArn":"a"}"#,
            "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
        ),
        (
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#,
            "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            r#"{"deadLetterTargetArn":"a","maxReceiveCount":"-1"}"#,
            "Invalid value for maxReceiveCount: -1, valid values are from 1 to 1000 both inclusive.",
        ),
    ] {
        let problem = fixture.set(&[("RedrivePolicy", policy)]).await.unwrap_err();
        let told =
            format!("Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}");
        assert_eq!(problem.message(), told);
    }
}

#[tokio::test]
async fn a_body_is_its_own_deduplication_id_by_its_sha_256() {
    let attributes = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
    let fixture = Fixture::new("q.fifo", &attributes).await;
    fixture.put("Test", Some("g")).await;
    let shown = fixture.get().await.unwrap().attributes.unwrap();
    let id = shown.into_iter().find(|(name, _)| name == "MessageDeduplicationId");
    assert_eq!(id.unwrap().1, "532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25");
}

#[tokio::test]
async fn a_message_is_hidden_for_twelve_hours_at_most() {
    let fixture = Fixture::new("q", &[("VisibilityTimeout", "3600")]).await;
    fixture.put("a", None).await;
    let handle = fixture.get().await.unwrap().receipt_handle.unwrap();
    fixture.kit.clock.advance(1800);
    let change = |seconds: i32| {
        let input = ChangeMessageVisibilityRequest {
            queue_url: fixture.queue.clone(),
            receipt_handle: handle.clone(),
            visibility_timeout: seconds,
        };
        fixture.kit.call::<ChangeMessageVisibility, _>(&fixture.sqs, &fixture.root, input)
    };
    assert_eq!(
        change(43_200).await.unwrap_err().message(),
        "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for \
         the message is beyond the limit [43200 seconds]"
    );
    change(43_200 - 1800).await.unwrap();
}

#[tokio::test]
async fn tags_are_checked_also_with_a_creation() {
    let fixture = Fixture::new("q", &[]).await;
    let (long, longer) = ("x".repeat(129), "x".repeat(257));
    let many: BTreeMap<String, String> =
        (0..51).map(|number| (number.to_string(), String::new())).collect();
    let wrong = [
        tags(&[("aws:x", "1")]),
        tags(&[("AWS:x", "1")]),
        tags(&[(&long, "1")]),
        tags(&[("x", &longer)]),
        tags(&[("", "1")]),
        tags(&[("a#", "1")]),
        many,
    ];
    for tags in wrong {
        let queue_url = fixture.queue.clone();
        let input = TagQueueRequest { queue_url, tags: tags.clone() };
        let tagged = fixture.kit.call::<TagQueue, _>(&fixture.sqs, &fixture.root, input).await;
        let input = CreateQueueRequest {
            queue_name: "other".to_owned(),
            tags: Some(tags.clone()),
            ..Default::default()
        };
        let made = fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await;
        for problem in [tagged.unwrap_err(), made.map(|_| ()).unwrap_err()] {
            assert_eq!(problem.code(Protocol::Query), "InvalidParameterValue", "{tags:?}");
        }
    }
}
