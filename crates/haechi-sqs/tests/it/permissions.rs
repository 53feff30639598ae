//! What policies see of queues, and whose dead letters a queue takes.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{
    AddPermission, CreateQueue, DeleteQueue, GetQueueAttributes, ListDeadLetterSourceQueues,
    ListQueueTags, PurgeQueue, ReceiveMessage, RemovePermission, SendMessage, SetQueueAttributes,
    TagQueue, UntagQueue,
};
use haechi_sqs_model::shapes::{
    AddPermissionRequest, CreateQueueRequest, DeleteQueueRequest, GetQueueAttributesRequest,
    ListDeadLetterSourceQueuesRequest, ListQueueTagsRequest, MessageAttributeValue,
    PurgeQueueRequest, ReceiveMessageRequest, RemovePermissionRequest, SendMessageRequest,
    SetQueueAttributesRequest, TagQueueRequest, UntagQueueRequest,
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
async fn a_queue_is_made_with_tags_by_whom_tagging_is_allowed() {
    let fixture = Fixture::new("q", &[]).await;
    let user = fixture.kit.user(
        ACCOUNT,
        "u",
        &[r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"*"},
        {"Effect":"Allow","Action":"sqs:TagQueue","Resource":"arn:aws:sqs:*:*:a-*",
         "Condition":{"StringEquals":{"aws:RequestTag/Team":"x"}}}]}"#],
    );
    let create = async |name: &str, pairs: &[(&str, &str)]| {
        let input = CreateQueueRequest {
            queue_name: name.to_owned(),
            tags: Some(tags(pairs)),
            ..Default::default()
        };
        code(fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &user, input).await)
    };
    assert_ne!(create("a-1", &[("Team", "y")]).await, "done");
    assert_ne!(create("b-1", &[("Team", "x")]).await, "done");
    assert_eq!(create("a-1", &[("Team", "x")]).await, "done");
    assert_eq!(create("b-1", &[]).await, "done");
    // What is there already gets no tags.
    assert_eq!(create("b-1", &[("Team", "x")]).await, "done");
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

/// The attribute of a policy that lets a user send.
fn naming(name: &str) -> BTreeMap<String, String> {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:SendMessage",
        "Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/{name}"}},"Resource":"*"}}]}}"#
    );
    BTreeMap::from([("Policy".to_owned(), policy)])
}

#[tokio::test]
async fn a_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let fixture = Fixture::new("q", &[]).await;
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    let directory = kit.directory();
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let set = async || {
        let (queue_url, attributes) = (fixture.queue.clone(), naming("bob"));
        let input = SetQueueAttributesRequest { queue_url, attributes };
        kit.call::<SetQueueAttributes, _>(sqs, &fixture.root, input).await.unwrap();
    };
    let send = async || {
        let user = kit.user(ACCOUNT, "bob", &[]);
        code(kit.call::<SendMessage, _>(sqs, &user, message(&fixture.queue)).await)
    };
    directory.make(&bob, "AIDAOFANEARLIERBOB");
    set().await;
    assert_eq!(send().await, "AccessDeniedException");
    directory.make(&bob, "AIDATESTBOB");
    // What is added to the policy, and taken from it, leaves its other statements as they are.
    let add = AddPermissionRequest {
        queue_url: fixture.queue.clone(),
        label: "x".to_owned(),
        aws_account_ids: vec!["444455556666".to_owned()],
        actions: vec!["SendMessage".to_owned()],
    };
    kit.call::<AddPermission, _>(sqs, &fixture.root, add).await.unwrap();
    assert_eq!(send().await, "AccessDeniedException");
    let (queue_url, label) = (fixture.queue.clone(), "x".to_owned());
    let remove = RemovePermissionRequest { queue_url, label };
    kit.call::<RemovePermission, _>(sqs, &fixture.root, remove).await.unwrap();
    assert_eq!(send().await, "AccessDeniedException");
    set().await;
    assert_eq!(send().await, "done");
}

#[tokio::test]
async fn a_permission_that_its_policy_has_no_room_for_is_refused_and_the_queue_serves_on() {
    let fixture = Fixture::new("q", &[]).await;
    let (sqs, kit, root) = (&fixture.sqs, &fixture.kit, &fixture.root);
    let accounts: Vec<String> = (0..100).map(|at| format!("4444555566{at:02}")).collect();
    let mut refused = None;
    for number in 0..1000 {
        let add = AddPermissionRequest {
            queue_url: fixture.queue.clone(),
            label: format!("x{number}"),
            aws_account_ids: accounts.clone(),
            actions: vec!["SendMessage".to_owned()],
        };
        if let Err(problem) = kit.call::<AddPermission, _>(sqs, root, add).await {
            refused = Some(told(&problem).0);
            break;
        }
    }
    assert_eq!(refused, Some("InvalidAttributeValue"));
    assert_eq!(code(kit.call::<SendMessage, _>(sqs, root, message(&fixture.queue)).await), "done");
    let (queue_url, label) = (fixture.queue.clone(), "x0".to_owned());
    let remove = RemovePermissionRequest { queue_url, label };
    assert_eq!(code(kit.call::<RemovePermission, _>(sqs, root, remove).await), "done");
}

#[tokio::test]
async fn a_policy_names_only_users_who_exist() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.kit.directory().make(&format!("arn:aws:iam::{ACCOUNT}:user/bob"), "AIDATESTBOB");
    let wrong = ("InvalidAttributeValue", "Invalid value for the parameter Policy.".to_owned());
    let create = async |name: &str| {
        let (queue_name, attributes) = ("new".to_owned(), Some(naming(name)));
        let input = CreateQueueRequest { queue_name, attributes, ..Default::default() };
        fixture.kit.call::<CreateQueue, _>(&fixture.sqs, &fixture.root, input).await
    };
    assert_eq!(told(&create("ghost").await.err().unwrap()), wrong);
    create("bob").await.unwrap();
    let (queue_url, attributes) = (fixture.queue.clone(), naming("ghost"));
    let input = SetQueueAttributesRequest { queue_url, attributes };
    let set = fixture.kit.call::<SetQueueAttributes, _>(&fixture.sqs, &fixture.root, input).await;
    assert_eq!(told(&set.err().unwrap()), wrong);
    let user = fixture.kit.user(ACCOUNT, "bob", &[]);
    let queue = fixture.queue.replace("/q", "/new");
    fixture.kit.call::<SendMessage, _>(&fixture.sqs, &user, message(&queue)).await.unwrap();
}

/// The attribute of a policy that lets everybody do everything.
fn open() -> BTreeMap<String, String> {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    BTreeMap::from([("Policy".to_owned(), policy.to_owned())])
}

#[tokio::test]
async fn a_policy_lets_another_account_use_a_queue_and_never_administer_it() {
    let fixture = Fixture::new("q", &[]).await;
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    let (queue_url, attributes) = (fixture.queue.clone(), open());
    let input = SetQueueAttributesRequest { queue_url, attributes };
    kit.call::<SetQueueAttributes, _>(sqs, &fixture.root, input).await.unwrap();
    let all = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    let url = || fixture.queue.clone();
    for stranger in [kit.root("444455556666"), kit.user("444455556666", "eve", &[all])] {
        macro_rules! told {
            ($($operation:ident: $input:expr => $told:literal,)*) => {$(
                let outcome = kit.call::<$operation, _>(sqs, &stranger, $input).await;
                let words = outcome.as_ref().err().map(told).unwrap_or_default().1;
                assert_eq!(code(outcome), $told, stringify!($operation));
                let action = stringify!($operation).to_ascii_lowercase();
                let action = format!("allows the sqs:{action} action");
                assert!($told == "done" || words.ends_with(&action), "{words}");
            )*};
        }
        told! {
            SendMessage: message(&url()) => "done",
            ReceiveMessage: ReceiveMessageRequest { queue_url: url(), ..Default::default() } => "done",
            GetQueueAttributes: GetQueueAttributesRequest { queue_url: url(), attribute_names: None } => "done",
            ListDeadLetterSourceQueues: ListDeadLetterSourceQueuesRequest { queue_url: url(), ..Default::default() } => "done",
            AddPermission: AddPermissionRequest {
                queue_url: url(),
                label: "x".to_owned(),
                aws_account_ids: vec!["444455556666".to_owned()],
                actions: vec!["*".to_owned()],
            } => "AccessDeniedException",
            RemovePermission: RemovePermissionRequest { queue_url: url(), label: "x".to_owned() } => "AccessDeniedException",
            SetQueueAttributes: SetQueueAttributesRequest { queue_url: url(), attributes: open() } => "AccessDeniedException",
            TagQueue: TagQueueRequest { queue_url: url(), tags: tags(&[("a", "b")]) } => "AccessDeniedException",
            UntagQueue: UntagQueueRequest { queue_url: url(), tag_keys: vec!["a".to_owned()] } => "AccessDeniedException",
            ListQueueTags: ListQueueTagsRequest { queue_url: url() } => "AccessDeniedException",
            DeleteQueue: DeleteQueueRequest { queue_url: url() } => "AccessDeniedException",
        }
    }
    let purge = PurgeQueueRequest { queue_url: url() };
    assert_eq!(
        code(kit.call::<PurgeQueue, _>(sqs, &kit.root("444455556666"), purge).await),
        "done"
    );
    // In the queue's own account the policy opens all.
    let neighbour = kit.user(ACCOUNT, "bob", &[]);
    let input = TagQueueRequest { queue_url: url(), tags: tags(&[("a", "b")]) };
    assert_eq!(code(kit.call::<TagQueue, _>(sqs, &neighbour, input).await), "done");
    let input = DeleteQueueRequest { queue_url: url() };
    assert_eq!(code(kit.call::<DeleteQueue, _>(sqs, &neighbour, input).await), "done");
}
