use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, PrincipalIds, Region};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_sqs_model::ops::ReceiveMessage;
use haechi_sse::Keys;
use haechi_testkit::Kit;
use haechi_wire::Problem;

use super::*;

/// No queue here is under a key.
struct NoKeys;

#[async_trait]
impl Keys for NoKeys {
    async fn managed_key(&self, _: &str, _: &AccountId, _: &Region) -> Result<String, Fault> {
        Err(Fault::internal("there are no keys"))
    }

    async fn generate_data_key(
        &self,
        _: &Cx,
        _: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Err(Fault::internal("there are no keys").into())
    }

    async fn decrypt(&self, _: &Cx, _: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Err(Fault::internal("there are no keys").into())
    }

    async fn record(&self, _: &Cx) -> Result<(), Fault> {
        Ok(())
    }
}

fn message(id: &str, sequence: u64, due_ms: i64) -> MessageRecord {
    MessageRecord {
        id: id.to_owned(),
        sequence,
        body: id.to_owned(),
        attributes: BTreeMap::new(),
        trace_header: None,
        sender_id: String::new(),
        sent_ms: due_ms,
        enqueued_ms: None,
        due_ms,
        receive_count: 0,
        first_received_ms: None,
        received_ms: None,
        group_id: None,
        deduplication_id: None,
        source_arn: None,
        pieces: 0,
        sealed: None,
        unknown: Unknown::new(),
    }
}

fn sqs(kit: &Kit) -> Sqs {
    Sqs::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs), Arc::new(NoKeys))
}

/// A queue with messages in it.
async fn queue(
    kit: &Kit,
    name: &str,
    attributes: &[(&str, &str)],
    messages: &[MessageRecord],
) -> Queue {
    let place = Place { account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
    let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let record = QueueRecord {
        name: name.to_owned(),
        id: name.to_owned(),
        attributes: attributes.collect(),
        policy_principals: PrincipalIds::default(),
        tags: BTreeMap::new(),
        created_ms: 0,
        modified_ms: 0,
        purged_ms: None,
        scope_before: None,
        unknown: Unknown::new(),
    };
    let mut batch = Batch::new();
    batch.create(place.queue(name), &record);
    for message in messages {
        batch.create(place.message(&record, message.due_ms, message.sequence), message);
    }
    kit.database.commit(batch).await.unwrap();
    let loaded = kit.database.load::<QueueRecord>(&place.queue(name)).await.unwrap().unwrap();
    Queue { place, arn: format!("arn:aws:sqs:us-east-1:111122223333:{name}"), loaded }
}

#[tokio::test]
async fn messages_to_which_two_nodes_gave_one_number_are_handed_out_apart() {
    let kit = Kit::new().await;
    let (sqs, now_ms) = (sqs(&kit), kit.env.now().millis());
    // Sent to two nodes, a millisecond apart, with one number.
    let sent = [message("a", 7, now_ms - 2), message("b", 7, now_ms - 1)];
    let queue = queue(&kit, "q", &[], &sent).await;
    let cx = kit.cx::<ReceiveMessage>(&kit.root("111122223333"));
    let taken = sqs.take(&cx, &queue, 10, 30_000).await.unwrap();
    let due: Vec<(&str, i64)> =
        taken.iter().map(|(message, _)| (message.id.as_str(), message.due_ms)).collect();
    assert_eq!(due, [("a", now_ms + 30_000), ("b", now_ms + 30_001)]);
    assert!(sqs.take(&cx, &queue, 10, 30_000).await.unwrap().is_empty());
    kit.clock.advance(31);
    assert_eq!(sqs.take(&cx, &queue, 10, 30_000).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_dead_letter_that_comes_back_waits_for_the_next_receive() {
    let kit = Kit::new().await;
    let (sqs, now_ms) = (sqs(&kit), kit.env.now().millis());
    let redrive =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":1}"#;
    let cx = kit.cx::<ReceiveMessage>(&kit.root("111122223333"));
    for suffix in ["", ".fifo"] {
        let received = MessageRecord { receive_count: 1, ..message("m", 1, now_ms) };
        queue(&kit, &format!("dead{suffix}"), &[], &[]).await;
        let redrive = redrive.replace("dead\"", &format!("dead{suffix}\""));
        let name = format!("q{suffix}");
        let queue = queue(&kit, &name, &[("RedrivePolicy", &redrive)], &[received]).await;
        for (moved, cleared) in [(HashSet::new(), 1), (HashSet::from(["m".to_owned()]), 0)] {
            let mut round = sqs.round(&cx, &queue, 0, &moved).await.unwrap();
            if queue.is_fifo() {
                round.fifo(10).await.unwrap();
            } else {
                round.standard(10).await.unwrap();
            }
            assert_eq!((round.taken.len(), round.cleared), (0, cleared), "{name}");
        }
    }
}
