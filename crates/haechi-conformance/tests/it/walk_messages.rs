//! The first five minutes with queues, topics and schedules, by the AWS CLI.

use std::time::Duration;

use haechi_conformance::{Launch, Outcome, Server};
use serde_json::{Value, json};

/// A call by the CLI. Its first version takes no notice of `AWS_ENDPOINT_URL` for SQS.
fn call(server: &Server, arguments: &[&str]) -> Outcome {
    let endpoint = ["--endpoint-url", server.ready().endpoint.as_str()];
    let is_sqs = arguments.first() == Some(&"sqs");
    server.aws(&[arguments, if is_sqs { &endpoint } else { &[] }].concat())
}

/// What the CLI answers, as JSON; `null` where it answers nothing.
fn aws(server: &Server, arguments: &[&str]) -> Value {
    let text = call(server, arguments).ok();
    if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// A queue, its URL and its ARN.
fn queue(server: &Server, name: &str, attributes: &Value) -> (String, String) {
    let attributes = attributes.to_string();
    let create = ["sqs", "create-queue", "--queue-name", name, "--attributes", &attributes];
    let url = text(&aws(server, &create), "QueueUrl");
    let ask = ["sqs", "get-queue-attributes", "--queue-url", &url, "--attribute-names", "QueueArn"];
    let arn = text(&aws(server, &ask)["Attributes"], "QueueArn");
    (url, arn)
}

/// The next message of a queue: its body, and what deletes it.
fn receive(server: &Server, url: &str) -> Option<(String, String)> {
    let ask = ["sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20"];
    let told = aws(server, &ask);
    let message = told["Messages"].as_array()?.first()?.clone();
    Some((text(&message, "Body"), text(&message, "ReceiptHandle")))
}

#[test]
fn a_queue_takes_gives_and_forgets_a_message() {
    let server = Launch::new().start();
    let (url, _) = queue(&server, "orders", &json!({"KmsMasterKeyId": "alias/aws/sqs"}));
    let send = ["sqs", "send-message", "--queue-url", &url, "--message-body", "one pear"];
    assert!(!text(&aws(&server, &send), "MessageId").is_empty());
    let (body, handle) = receive(&server, &url).unwrap();
    assert_eq!(body, "one pear");
    let delete = ["sqs", "delete-message", "--queue-url", &url, "--receipt-handle", &handle];
    call(&server, &delete).ok();
    let ask = ["sqs", "get-queue-attributes", "--queue-url", &url, "--attribute-names", "All"];
    let told = aws(&server, &ask);
    assert_eq!(told["Attributes"]["ApproximateNumberOfMessages"], "0");
    assert_eq!(told["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "0");
    assert_eq!(told["Attributes"]["KmsMasterKeyId"], "alias/aws/sqs");
    call(&server, &["sqs", "delete-queue", "--queue-url", &url]).ok();
    call(&server, &["sqs", "get-queue-url", "--queue-name", "orders"])
        .fails_with("NonExistentQueue");
}

#[test]
fn a_topic_hands_a_message_to_the_queue_that_wants_it() {
    let server = Launch::new().start();
    let allow = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": "*"}]});
    let (url, arn) = queue(&server, "fruit", &json!({"Policy": allow.to_string()}));
    let topic = text(&aws(&server, &["sns", "create-topic", "--name", "shop"]), "TopicArn");
    let attributes =
        json!({"RawMessageDelivery": "true", "FilterPolicy": r#"{"kind":["fruit"]}"#}).to_string();
    let subscribe = [
        "sns",
        "subscribe",
        "--topic-arn",
        &topic,
        "--protocol",
        "sqs",
        "--notification-endpoint",
        &arn,
        "--attributes",
        &attributes,
    ];
    let subscription = text(&aws(&server, &subscribe), "SubscriptionArn");
    for (kind, message) in [("tool", "a saw"), ("fruit", "a pear")] {
        let attribute = json!({"kind": {"DataType": "String", "StringValue": kind}}).to_string();
        let publish = ["sns", "publish", "--topic-arn", &topic, "--message", message];
        let publish = [&publish[..], &["--message-attributes", &attribute]].concat();
        assert!(!text(&aws(&server, &publish), "MessageId").is_empty());
    }
    assert_eq!(receive(&server, &url).unwrap().0, "a pear");
    server.aws(&["sns", "unsubscribe", "--subscription-arn", &subscription]).ok();
    let listed = aws(&server, &["sns", "list-subscriptions-by-topic", "--topic-arn", &topic]);
    assert_eq!(listed["Subscriptions"], json!([]));
    server.aws(&["sns", "delete-topic", "--topic-arn", &topic]).ok();
}

#[test]
fn a_schedule_sends_a_message_at_its_time() {
    let server = Launch::new().start();
    let (url, arn) = queue(&server, "mornings", &json!({}));
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole"}]})
    .to_string();
    let role = ["iam", "create-role", "--role-name", "send", "--assume-role-policy-document"];
    let role = aws(&server, &[&role[..], &[&trust]].concat());
    let role = text(&role["Role"], "Arn");
    let may = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": &arn}]})
    .to_string();
    let put = ["iam", "put-role-policy", "--role-name", "send", "--policy-name", "send"];
    server.aws(&[&put[..], &["--policy-document", &may]].concat()).ok();
    let target = json!({"Arn": arn, "RoleArn": role, "Input": "good morning"}).to_string();
    // A rate begins at once.
    let create = [
        "scheduler",
        "create-schedule",
        "--name",
        "morning",
        "--schedule-expression",
        "rate(1 day)",
        "--flexible-time-window",
        "Mode=OFF",
        "--target",
        &target,
    ];
    assert!(text(&aws(&server, &create), "ScheduleArn").ends_with("default/morning"));
    let listed = aws(&server, &["scheduler", "list-schedules"]);
    assert_eq!(listed["Schedules"][0]["Name"], "morning");
    let mut said = None;
    for _ in 0..30 {
        said = receive(&server, &url).map(|(body, _)| body);
        if said.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(said.as_deref(), Some("good morning"), "{}", server.output());
    server.aws(&["scheduler", "delete-schedule", "--name", "morning"]).ok();
}
