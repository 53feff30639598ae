//! What SQS refuses, and what has an end.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{
    AddPermission, ChangeMessageVisibility, CreateQueue, ListQueues, ReceiveMessage, SendMessage,
    TagQueue,
};
use haechi_sqs_model::shapes::{
    AddPermissionRequest, ChangeMessageVisibilityRequest, CreateQueueRequest, ListQueuesRequest,
    Message, MessageAttributeValue, MessageSystemAttributeValue, ReceiveMessageRequest,
    SendMessageRequest, TagQueueRequest,
};
use haechi_wire::Protocol;

use super::{ACCOUNT, Fixture};

const FIFO: [(&str, &str); 2] = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Fixture {
    async fn put_to(&self, queue: &str, body: &str, group_id: Option<&str>) {
        let input = SendMessageRequest {
            queue_url: queue.to_owned(),
            message_body: body.to_owned(),
            message_group_id: group_id.map(str::to_owned),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&self.sqs, &self.root, input).await.unwrap();
    }

    async fn put(&self, body: &str, group_id: Option<&str>) {
        self.put_to(&self.queue, body, group_id).await;
    }

    async fn get_of(&self, queue: &str) -> Option<Message> {
        let input = ReceiveMessageRequest {
            queue_url: queue.to_owned(),
            attribute_names: Some(vec!["All".to_owned()]),
            ..Default::default()
        };
        let answer = self.kit.call::<ReceiveMessage, _>(&self.sqs, &self.root, input).await;
        answer.unwrap().messages.unwrap_or_default().pop()
    }

    async fn get(&self) -> Option<Message> {
        self.get_of(&self.queue).await
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
        tags(&[("a", "1\t")]),
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

#[tokio::test]
async fn dead_letters_of_fifo_queues_age_from_when_they_were_moved() {
    for (suffix, is_fifo) in [(".fifo", true), ("", false)] {
        let kind: &[(&str, &str)] = if is_fifo { &FIFO } else { &[] };
        let dead = format!("dead{suffix}");
        let attributes = [&[("MessageRetentionPeriod", "60")], kind].concat();
        let fixture = Fixture::new(&dead, &attributes).await;
        let target = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{dead}");
        let policy = format!(r#"{{"deadLetterTargetArn":"{target}","maxReceiveCount":1}}"#);
        let own = [("VisibilityTimeout", "0"), ("RedrivePolicy", &policy)];
        let pairs = own.iter().chain(kind).map(|(name, value)| ((*name).into(), (*value).into()));
        let input = CreateQueueRequest {
            queue_name: format!("q{suffix}"),
            attributes: Some(pairs.collect()),
            ..Default::default()
        };
        let made = fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await;
        let queue = made.unwrap().queue_url.unwrap();
        fixture.put_to(&queue, "m", is_fifo.then_some("g")).await;
        assert!(fixture.get_of(&queue).await.is_some());
        fixture.kit.clock.advance(50);
        assert!(fixture.get_of(&queue).await.is_none());
        fixture.kit.clock.advance(50);
        assert_eq!(fixture.waiting().await, if is_fifo { "1" } else { "0" });
        fixture.kit.jobs.run_due().await.unwrap();
        assert_eq!(fixture.get().await.is_some(), is_fifo);
        fixture.kit.clock.advance(10);
        assert!(fixture.get().await.is_none());
    }
}

#[tokio::test]
async fn pages_of_queues_are_asked_for_with_a_size_and_a_token_that_was_given() {
    let fixture = Fixture::new("a", &[]).await;
    let input = CreateQueueRequest { queue_name: "b".to_owned(), ..Default::default() };
    fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await.unwrap();
    let list = async |max_results: Option<i32>, next_token: Option<&str>| {
        let next_token = next_token.map(str::to_owned);
        let input = ListQueuesRequest { max_results, next_token, ..Default::default() };
        fixture.kit.call::<ListQueues, _>(&fixture.sqs, &fixture.root, input).await
    };
    let first = list(Some(1), None).await.unwrap();
    assert_eq!(first.queue_urls.as_deref(), Some(std::slice::from_ref(&fixture.queue)));
    let token = first.next_token.unwrap();
    let rest = list(Some(1), Some(&token)).await.unwrap();
    assert_eq!((rest.queue_urls.unwrap().len(), rest.next_token), (1, None));
    for (size, token, told) in [
        (
            None,
            Some(token.as_str()),
            "MaxResults is a mandatory parameter when you provide a value for NextToken.",
        ),
        (Some(1), Some("a"), "Invalid or expired next token."),
        (
            Some(0),
            None,
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.",
        ),
    ] {
        let problem = list(size, token).await.map(|_| ()).unwrap_err();
        assert_eq!(problem.message(), told);
        assert_eq!(problem.code(Protocol::Query), "InvalidParameterValue");
    }
}

#[tokio::test]
async fn a_fifo_queues_name_is_refused_in_a_sentence_alone() {
    let fixture = Fixture::new("q", &[]).await;
    let input = CreateQueueRequest {
        queue_name: "abc".to_owned(),
        attributes: Some(tags(&FIFO)),
        ..Default::default()
    };
    let made = fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await;
    let told = made.map(|_| ()).unwrap_err().message();
    assert!(told.starts_with("The name of a FIFO queue can only include "), "{told}");
}

#[tokio::test]
async fn others_may_be_allowed_what_is_not_the_owners_alone() {
    let fixture = Fixture::new("q", &[]).await;
    let add = async |action: &str| {
        let input = AddPermissionRequest {
            queue_url: fixture.queue.clone(),
            label: action.to_owned(),
            aws_account_ids: vec!["444455556666".to_owned()],
            actions: vec![action.to_owned()],
        };
        fixture.kit.call::<AddPermission, _>(&fixture.sqs, &fixture.root, input).await
    };
    for action in ["PurgeQueue", "ListDeadLetterSourceQueues"] {
        add(action).await.unwrap();
    }
    assert!(add("DeleteQueue").await.unwrap_err().message().contains("Only the queue owner"));
}

#[tokio::test]
async fn numbers_and_traces_are_what_they_are_called() {
    let fixture = Fixture::new("q", &[]).await;
    let send = async |number: &str, trace: (&str, &str)| {
        let number = MessageAttributeValue {
            string_value: Some(number.to_owned()),
            data_type: "Number".to_owned(),
            ..Default::default()
        };
        let trace = MessageSystemAttributeValue {
            data_type: trace.0.to_owned(),
            string_value: Some(trace.1.to_owned()),
            ..Default::default()
        };
        let input = SendMessageRequest {
            queue_url: fixture.queue.clone(),
            message_body: "m".to_owned(),
            message_attributes: Some([("n".to_owned(), number)].into()),
            message_system_attributes: Some([("AWSTraceHeader".to_owned(), trace)].into()),
            ..Default::default()
        };
        let sent = fixture.kit.call::<SendMessage, _>(&fixture.sqs, &fixture.root, input).await;
        sent.map(|_| ()).map_err(|problem| problem.message())
    };
    let (trace, long) = (("String", "Root=1"), "1".repeat(38));
    for number in ["0", "-0.00", "+1.5e3", "1e126", "-1e-128", &long, &format!("{long}000")] {
        send(number, trace).await.unwrap();
    }
    let told = "Can't cast the value of message attribute 'n' to a number.";
    let longer = format!("1{long}");
    for number in ["inf", "-Infinity", "NaN", "1e127", "1e-129", "1e-400", "1e", &longer] {
        assert_eq!(send(number, trace).await.unwrap_err(), told, "{number}");
    }
    let told = "Message (system) attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.";
    for wrong in [("Number", "1"), ("String", "")] {
        assert_eq!(send("1", wrong).await.unwrap_err(), told);
    }
}

#[tokio::test]
async fn denials_are_forbidden_by_the_code_of_the_query_protocol() {
    let fixture = Fixture::new("q", &[]).await;
    let user = fixture.kit.user(ACCOUNT, "u", &[]);
    macro_rules! denied {
        ($($operation:ident: $input:expr,)*) => {$(
            let outcome = fixture.kit.call::<$operation, _>(&fixture.sqs, &user, $input).await;
            let problem = outcome.map(|_| ()).unwrap_err();
            let action = stringify!($operation).to_ascii_lowercase();
            assert_eq!(problem.status(Protocol::Json10), 403);
            assert_eq!(problem.query_error().as_deref(), Some("AccessDenied;Sender"));
            let told = problem.message();
            let (from, to) = (
                format!("is not authorized to perform: sqs:{action} on resource: arn:aws:sqs:"),
                format!("because no identity-based policy allows the sqs:{action} action"),
            );
            assert!(told.contains(&from) && told.ends_with(&to), "{told}");
        )*};
    }
    denied! {
        CreateQueue: CreateQueueRequest { queue_name: "n".to_owned(), ..Default::default() },
        ListQueues: ListQueuesRequest::default(),
        SendMessage: SendMessageRequest {
            queue_url: fixture.queue.clone(),
            message_body: "m".to_owned(),
            ..Default::default()
        },
    }
}
