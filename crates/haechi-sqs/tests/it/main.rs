//! Queues as time passes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod deliveries;
mod encryption;
mod limits;
mod move_tasks;
mod order;
mod permissions;
mod recorded;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Caller, Job, Path};
use haechi_kms::Kms;
use haechi_sqs::Sqs;
use haechi_sqs_model::ops::{
    ChangeMessageVisibility, CreateQueue, DeleteMessage, DeleteQueue, GetQueueAttributes,
    ReceiveMessage, SendMessage,
};
use haechi_sqs_model::shapes::{
    ChangeMessageVisibilityRequest, CreateQueueRequest, DeleteMessageRequest, DeleteQueueRequest,
    GetQueueAttributesRequest, Message, ReceiveMessageRequest, SendMessageRequest,
    SendMessageResult,
};
use haechi_testkit::Kit;
use haechi_testkit_kms::RealKeys;
use haechi_wire::{Problem, Protocol};

const ACCOUNT: &str = "111122223333";

struct Fixture {
    kit: Kit,
    kms: Arc<Kms>,
    sqs: Sqs,
    root: Arc<Caller>,
    queue: String,
}

impl Fixture {
    async fn new(name: &str, attributes: &[(&str, &str)]) -> Fixture {
        let kit = Kit::new().await;
        let keys = RealKeys::new(&kit.database, &kit.env, &kit.jobs);
        let kms = Arc::clone(&keys.0);
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let sqs = Sqs::new(database, kit.env.clone(), jobs, Arc::new(keys));
        let root = kit.root(ACCOUNT);
        let attributes: BTreeMap<String, String> =
            attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut input = CreateQueueRequest { attributes: Some(attributes), ..Default::default() };
        input.queue_name = name.to_owned();
        let queue = kit.call::<CreateQueue, _>(&sqs, &root, input).await.unwrap();
        Fixture { kit, kms, sqs, root, queue: queue.queue_url.unwrap() }
    }

    async fn send(&self, body: &str, group: Option<&str>, id: Option<&str>) -> SendMessageResult {
        let input = SendMessageRequest {
            queue_url: self.queue.clone(),
            message_body: body.to_owned(),
            message_group_id: group.map(str::to_owned),
            message_deduplication_id: id.map(str::to_owned),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&self.sqs, &self.root, input).await.unwrap()
    }

    async fn receive(&self) -> Vec<Message> {
        let input = ReceiveMessageRequest {
            queue_url: self.queue.clone(),
            max_number_of_messages: Some(10),
            ..Default::default()
        };
        let answer = self.kit.call::<ReceiveMessage, _>(&self.sqs, &self.root, input).await;
        answer.unwrap().messages.unwrap_or_default()
    }

    async fn bodies(&self) -> Vec<String> {
        self.receive().await.into_iter().map(|message| message.body.unwrap()).collect()
    }

    async fn delete(&self, message: &Message) -> Result<(), Problem> {
        let input = DeleteMessageRequest {
            queue_url: self.queue.clone(),
            receipt_handle: message.receipt_handle.clone().unwrap(),
        };
        self.kit.call::<DeleteMessage, _>(&self.sqs, &self.root, input).await.map(|_| ())
    }

    async fn waiting(&self) -> String {
        let input = GetQueueAttributesRequest {
            queue_url: self.queue.clone(),
            attribute_names: Some(vec!["ApproximateNumberOfMessages".to_owned()]),
        };
        let answer = self.kit.call::<GetQueueAttributes, _>(&self.sqs, &self.root, input).await;
        answer.unwrap().attributes.unwrap()["ApproximateNumberOfMessages"].clone()
    }

    /// Rows of the service, but for the queue's own.
    async fn rows(&self) -> usize {
        let scope = Path::new("sqs").part(ACCOUNT).part("us-east-1");
        let count = async |kind: &str| {
            // Any record will do: what does not read as one fails the test.
            let prefix = scope.clone().part(kind);
            let page = self.kit.database.list::<Anything>(&prefix, None, 1000);
            page.await.unwrap().items.len()
        };
        let kinds = ["message", "receipt", "deduplication", "piece"];
        let mut rows = 0;
        for kind in kinds {
            rows += count(kind).await;
        }
        rows
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Anything {}
impl haechi_core::Record for Anything {}

#[tokio::test]
async fn a_message_that_was_not_deleted_comes_back_when_its_visibility_ends() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.send("a", None, None).await;
    assert_eq!(fixture.bodies().await, ["a"]);
    fixture.kit.clock.advance(29);
    assert!(fixture.bodies().await.is_empty());
    fixture.kit.clock.advance(1);
    assert_eq!(fixture.bodies().await, ["a"]);
}

#[tokio::test]
async fn a_message_is_hidden_for_as_long_as_its_receiver_asks() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.send("a", None, None).await;
    let message = fixture.receive().await.remove(0);
    let input = ChangeMessageVisibilityRequest {
        queue_url: fixture.queue.clone(),
        receipt_handle: message.receipt_handle.clone().unwrap(),
        visibility_timeout: 100,
    };
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    kit.call::<ChangeMessageVisibility, _>(sqs, &fixture.root, input).await.unwrap();
    kit.clock.advance(99);
    assert!(fixture.bodies().await.is_empty());
    fixture.delete(&message).await.unwrap();
    kit.clock.advance(1);
    assert!(fixture.bodies().await.is_empty());
}

#[tokio::test]
async fn a_deduplication_id_is_taken_for_five_minutes() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    let first = fixture.send("a", Some("g"), Some("1")).await;
    let again = fixture.send("b", Some("g"), Some("1")).await;
    assert_eq!(
        (again.message_id, again.sequence_number),
        (first.message_id, first.sequence_number)
    );
    let message = fixture.receive().await.remove(0);
    fixture.delete(&message).await.unwrap();
    fixture.send("c", Some("g"), Some("1")).await;
    assert!(fixture.bodies().await.is_empty());
    fixture.kit.clock.advance(300);
    fixture.send("d", Some("g"), Some("1")).await;
    assert_eq!(fixture.bodies().await, ["d"]);
}

#[tokio::test]
async fn a_handle_of_a_fifo_queue_ends_with_its_visibility() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    fixture.send("a", Some("g"), Some("1")).await;
    fixture.send("b", Some("g"), Some("2")).await;
    let first = fixture.receive().await;
    assert_eq!(first.len(), 2);
    fixture.kit.clock.advance(30);
    let problem = fixture.delete(&first[0]).await.unwrap_err();
    assert_eq!(problem.code(Protocol::Json10), "InvalidParameterValueException");
    assert_eq!(fixture.bodies().await, ["a", "b"]);
}

#[tokio::test]
async fn messages_expire_whether_or_not_anybody_reads() {
    let fixture = Fixture::new("q", &[("MessageRetentionPeriod", "60")]).await;
    fixture.send("a", None, None).await;
    assert_eq!(fixture.waiting().await, "1");
    fixture.kit.clock.advance(60);
    assert_eq!(fixture.waiting().await, "0");
    assert!(fixture.bodies().await.is_empty());
    fixture.send("b", None, None).await;
    fixture.kit.clock.advance(3600);
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.rows().await, 0);
    let jobs = fixture.kit.database.list::<Job>(&Path::new("jobs"), None, 10).await.unwrap();
    assert_eq!(jobs.items.len(), 1, "the next look is due");
}

#[tokio::test]
async fn a_deleted_queue_leaves_nothing_and_its_name_is_free() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    for number in 0..300 {
        fixture.send("a", Some("g"), Some(&number.to_string())).await;
    }
    fixture.receive().await;
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    let input = DeleteQueueRequest { queue_url: fixture.queue.clone() };
    kit.call::<DeleteQueue, _>(sqs, &fixture.root, input).await.unwrap();
    for _ in 0..12 {
        kit.jobs.run_due().await.unwrap();
        kit.clock.advance(1);
    }
    kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.rows().await, 0);
    // The hourly look finds nothing to look at, and is the last.
    kit.clock.advance(3600);
    kit.jobs.run_due().await.unwrap();
    let jobs = kit.database.list::<Job>(&Path::new("jobs"), None, 10).await.unwrap();
    assert!(jobs.items.is_empty());
}

#[tokio::test]
async fn long_messages_are_handed_out_whole_and_ten_at_a_time() {
    let fixture = Fixture::new("q", &[]).await;
    let long = "\u{e9}\"".repeat(1_048_576 / 3);
    for _ in 0..10 {
        fixture.send(&long, None, None).await;
    }
    let messages = fixture.receive().await;
    assert_eq!(messages.len(), 10);
    for message in &messages {
        assert!(message.body.as_ref() == Some(&long), "it is what was sent");
        fixture.delete(message).await.unwrap();
    }
    assert_eq!(fixture.rows().await, 0);
}

#[tokio::test]
async fn whoever_waits_for_a_message_is_answered_when_the_server_is_about_to_stop() {
    let fixture = Fixture::new("queue", &[("ReceiveMessageWaitTimeSeconds", "20")]).await;
    // A wait that nobody ends is longer than this.
    let patience = Duration::from_secs(15);
    let waiting = tokio::time::timeout(patience, fixture.receive());
    let stopping = async {
        tokio::task::yield_now().await;
        fixture.sqs.end_waiting();
    };
    let (received, ()) = tokio::join!(waiting, stopping);
    assert!(received.unwrap().is_empty());
    assert!(tokio::time::timeout(patience, fixture.receive()).await.unwrap().is_empty());
}
