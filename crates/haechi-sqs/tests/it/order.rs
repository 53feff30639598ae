//! Which messages of a FIFO queue come first, and how long deduplication ids are taken, as recorded
//! of AWS.

use std::collections::BTreeMap;

use haechi_sqs_model::ops::{PurgeQueue, ReceiveMessage, SetQueueAttributes};
use haechi_sqs_model::shapes::{
    PurgeQueueRequest, ReceiveMessageRequest, SetQueueAttributesRequest,
};

use super::Fixture;

const CONTENT_BASED: [(&str, &str); 2] =
    [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];

impl Fixture {
    /// Sends messages whose first two letters name their group.
    async fn send_all(&self, bodies: &[&str]) {
        for body in bodies {
            self.send(body, body.get(..2), None).await;
            self.kit.clock.advance(1);
        }
    }

    async fn take(&self, max: i32, visibility_timeout: Option<i32>) -> Vec<String> {
        let input = ReceiveMessageRequest {
            queue_url: self.queue.clone(),
            max_number_of_messages: Some(max),
            visibility_timeout,
            ..Default::default()
        };
        let answer = self.kit.call::<ReceiveMessage, _>(&self.sqs, &self.root, input).await;
        let messages = answer.unwrap().messages.unwrap_or_default();
        messages.into_iter().map(|message| message.body.unwrap()).collect()
    }

    async fn change(&self, attributes: &[(&str, &str)]) {
        let attributes: BTreeMap<String, String> =
            attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let input = SetQueueAttributesRequest { queue_url: self.queue.clone(), attributes };
        self.kit.call::<SetQueueAttributes, _>(&self.sqs, &self.root, input).await.unwrap();
    }
}

#[tokio::test]
async fn messages_come_group_by_group_and_the_group_that_waited_longest_first() {
    let fixture = Fixture::new("q.fifo", &CONTENT_BASED).await;
    fixture.send_all(&["g1-1", "g2-1", "g2-2", "g3-1", "g1-2"]).await;
    assert_eq!(fixture.take(3, Some(0)).await, ["g1-1", "g1-2", "g2-1"]);
    assert_eq!(fixture.take(10, Some(0)).await, ["g3-1", "g1-1", "g1-2", "g2-1", "g2-2"]);
}

#[tokio::test]
async fn a_group_ends_where_one_of_its_messages_is_out() {
    let fixture = Fixture::new("q.fifo", &CONTENT_BASED).await;
    fixture.send_all(&["g1-1", "g1-2", "g1-3", "g2-1"]).await;
    assert_eq!(fixture.take(1, None).await, ["g1-1"]);
    assert_eq!(fixture.take(10, None).await, ["g2-1"]);
    fixture.kit.clock.advance(30);
    assert_eq!(fixture.take(10, None).await, ["g1-1", "g1-2", "g1-3", "g2-1"]);
}

#[tokio::test]
async fn a_new_deduplication_scope_counts_after_a_minute() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    fixture.send("a", Some("g1"), Some("1")).await;
    fixture
        .change(&[
            ("DeduplicationScope", "messageGroup"),
            ("FifoThroughputLimit", "perMessageGroupId"),
        ])
        .await;
    fixture.send("b", Some("g2"), Some("1")).await;
    assert_eq!(fixture.take(10, Some(0)).await, ["a"]);
    fixture.kit.clock.advance(60);
    fixture.send("c", Some("g3"), Some("1")).await;
    assert_eq!(fixture.take(10, Some(0)).await, ["a", "c"]);
}

#[tokio::test]
async fn a_purge_frees_deduplication_ids() {
    let fixture = Fixture::new("q.fifo", &[("FifoQueue", "true")]).await;
    fixture.send("a", Some("g"), Some("1")).await;
    let input = PurgeQueueRequest { queue_url: fixture.queue.clone() };
    fixture.kit.call::<PurgeQueue, _>(&fixture.sqs, &fixture.root, input).await.unwrap();
    assert_eq!(fixture.rows().await, 0);
    fixture.kit.clock.advance(1);
    fixture.send("b", Some("g"), Some("1")).await;
    assert_eq!(fixture.take(10, None).await, ["b"]);
}
