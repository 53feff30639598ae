//! Answers as AWS gave them, recorded in LocalStack's snapshots.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{
    CancelMessageMoveTask, CreateQueue, GetQueueAttributes, ReceiveMessage, SendMessage,
    SendMessageBatch,
};
use haechi_sqs_model::shapes::{
    CancelMessageMoveTaskRequest, CreateQueueRequest, GetQueueAttributesRequest,
    MessageAttributeValue, ReceiveMessageRequest, SendMessageBatchRequest,
    SendMessageBatchRequestEntry, SendMessageRequest,
};
use haechi_wire::{Problem, Protocol};

use super::{ACCOUNT, Fixture};

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue {
        string_value: Some(value.to_owned()),
        data_type: "String".to_owned(),
        ..Default::default()
    }
}

impl Fixture {
    async fn send_with(&self, name: &str, value: &str) -> Result<(), Problem> {
        let input = SendMessageRequest {
            queue_url: self.queue.clone(),
            message_body: "a".to_owned(),
            message_attributes: Some(BTreeMap::from([(name.to_owned(), text(value))])),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&self.sqs, &self.root, input).await.map(|_| ())
    }

    async fn batch(
        &self,
        entries: &[SendMessageBatchRequestEntry],
    ) -> Result<(usize, Option<usize>), Problem> {
        let (queue_url, entries) = (self.queue.clone(), entries.to_vec());
        let input = SendMessageBatchRequest { queue_url, entries };
        let answer = self.kit.call::<SendMessageBatch, _>(&self.sqs, &self.root, input).await?;
        let successful = answer.successful.map_or(0, |entries| entries.len());
        Ok((successful, answer.failed.map(|entries| entries.len())))
    }
}

#[tokio::test]
async fn attributes_are_refused_by_name_and_value() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.send_with("attr.1\u{f8}\u{df}\u{e4}", "Valida").await.unwrap();
    let problem = fixture.send_with("a\u{a7}b", "x").await.unwrap_err();
    assert_eq!(problem.code(Protocol::Query), "InvalidParameterValue");
    let problem = fixture.send_with("ErrorDetails", "").await.unwrap_err();
    assert_eq!(
        problem.message(),
        "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."
    );
    let problem = fixture.send_with("attr1", "\u{8}").await.unwrap_err();
    assert_eq!(problem.code(Protocol::Query), "InvalidParameterValue");
}

#[tokio::test]
async fn a_batch_counts_attributes_and_leaves_out_what_is_empty() {
    let fixture = Fixture::new("q", &[]).await;
    let entry = |id: &str, body: String| SendMessageBatchRequestEntry {
        id: id.to_owned(),
        message_body: body,
        ..Default::default()
    };
    let (small, large) = (entry("2", "a".to_owned()), entry("1", "a".repeat(1_048_576 - 8)));
    assert_eq!(fixture.batch(std::slice::from_ref(&small)).await.unwrap(), (1, None));
    let attributes = BTreeMap::from([("k".to_owned(), text("x"))]);
    let large = SendMessageBatchRequestEntry { message_attributes: Some(attributes), ..large };
    let problem = fixture.batch(&[large, small]).await.unwrap_err();
    assert_eq!(
        problem.message(),
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    );
}

#[tokio::test]
async fn a_batch_without_deduplication_ids_is_refused_as_a_whole() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    let entry = |id: &str, deduplication_id: Option<&str>| SendMessageBatchRequestEntry {
        id: id.to_owned(),
        message_body: "a".to_owned(),
        message_group_id: Some("g".to_owned()),
        message_deduplication_id: deduplication_id.map(str::to_owned),
        ..Default::default()
    };
    fixture.batch(&[entry("1", Some("1")), entry("2", None)]).await.unwrap_err();
    assert!(fixture.bodies().await.is_empty());
}

#[tokio::test]
async fn a_wait_is_refused_in_words_of_its_own() {
    let fixture = Fixture::new("q", &[]).await;
    let input = ReceiveMessageRequest {
        queue_url: fixture.queue.clone(),
        wait_time_seconds: Some(21),
        ..Default::default()
    };
    let answer = fixture.kit.call::<ReceiveMessage, _>(&fixture.sqs, &fixture.root, input).await;
    assert_eq!(
        answer.err().unwrap().message(),
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
    );
}

#[tokio::test]
async fn names_with_a_star_want_all_attributes_that_begin_so() {
    let fixture = Fixture::new("q", &[("VisibilityTimeout", "0")]).await;
    fixture.send_with("Hello", "x").await.unwrap();
    for (wanted, is_shown) in [("*", true), (".*", true), ("Hel.*", true), ("Help.*", false)] {
        let input = ReceiveMessageRequest {
            queue_url: fixture.queue.clone(),
            message_attribute_names: Some(vec![wanted.to_owned()]),
            ..Default::default()
        };
        let answer =
            fixture.kit.call::<ReceiveMessage, _>(&fixture.sqs, &fixture.root, input).await;
        let message = answer.unwrap().messages.unwrap().remove(0);
        assert_eq!(message.message_attributes.is_some(), is_shown, "{wanted}");
    }
}

#[tokio::test]
async fn a_dead_letter_queue_is_named_by_an_arn() {
    let fixture = Fixture::new("q", &[]).await;
    let policy = r#"{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}"#;
    let attributes = BTreeMap::from([("RedrivePolicy".to_owned(), policy.to_owned())]);
    let mut input = CreateQueueRequest { attributes: Some(attributes), ..Default::default() };
    input.queue_name = "other".to_owned();
    let answer = fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await;
    assert_eq!(
        answer.err().unwrap().message(),
        format!(
            "Value {policy} for parameter RedrivePolicy is invalid. Reason: Invalid value for deadLetterTargetArn."
        )
    );
}

#[tokio::test]
async fn a_queue_is_made_again_whatever_way_its_attributes_are_written() {
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
    let fixture = Fixture::new("q", &[]).await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"5"}}"#);
    for _ in 0..2 {
        let attributes = BTreeMap::from([
            ("RedrivePolicy".to_owned(), policy.clone()),
            ("Policy".to_owned(), String::new()),
        ]);
        let mut input = CreateQueueRequest { attributes: Some(attributes), ..Default::default() };
        input.queue_name = "again".to_owned();
        fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await.unwrap();
    }
}

#[tokio::test]
async fn policies_are_shown_in_one_line_whatever_way_they_are_written() {
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q");
    let fixture = Fixture::new("q", &[]).await;
    let redrive =
        format!("{{\n \"maxReceiveCount\": 3,\n \"deadLetterTargetArn\": \"{arn}\"\n}}\n");
    let policy = r#"{
        "Version": "2012-10-17",
        "Statement": [ { "Sid": "a b", "Effect": "Allow", "Principal": "*",
                         "Action": "sqs:SendMessage", "Resource": "*" } ]
    }"#;
    let attributes = BTreeMap::from([
        ("RedrivePolicy".to_owned(), redrive),
        ("Policy".to_owned(), policy.to_owned()),
    ]);
    let mut input = CreateQueueRequest { attributes: Some(attributes), ..Default::default() };
    input.queue_name = "shown".to_owned();
    for _ in 0..2 {
        let call = fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input.clone());
        call.await.unwrap();
    }
    let input = GetQueueAttributesRequest {
        queue_url: fixture.queue.replace("/q", "/shown"),
        attribute_names: Some(vec!["All".to_owned()]),
    };
    let call = fixture.kit.call::<GetQueueAttributes, _>(&fixture.sqs, &fixture.root, input);
    let shown = call.await.unwrap().attributes.unwrap();
    let of = |name: &str| shown.get(name).cloned().unwrap_or_default();
    let expected = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":3}}"#);
    assert_eq!(of("RedrivePolicy"), expected);
    assert_eq!(
        of("Policy"),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}"#
    );
}

#[tokio::test]
async fn tasks_of_other_accounts_are_not_there() {
    let fixture = Fixture::new("q", &[]).await;
    // {"taskId":"x","sourceArn":"arn:aws:sqs:us-east-1:878966065785:test"}
    let handle = "eyJ0YXNrSWQiOiJ4Iiwic291cmNlQXJuIjoiYXJuOmF3czpzcXM6dXMtZWFzdC0xOjg3ODk2NjA2NTc4NTp0ZXN0In0=";
    let input = CancelMessageMoveTaskRequest { task_handle: handle.to_owned() };
    let answer =
        fixture.kit.call::<CancelMessageMoveTask, _>(&fixture.sqs, &fixture.root, input).await;
    let problem = answer.err().unwrap();
    assert_eq!(
        (problem.code(Protocol::Json10), problem.status(Protocol::Json10)),
        ("ResourceNotFoundException", 404)
    );
}
