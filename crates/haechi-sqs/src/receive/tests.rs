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

#[tokio::test]
async fn messages_to_which_two_nodes_gave_one_number_are_handed_out_apart() {
    let kit = Kit::new().await;
    let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
    let sqs = Sqs::new(database, kit.env.clone(), jobs, Arc::new(NoKeys));
    let place = Place { account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
    let record = QueueRecord {
        name: "q".to_owned(),
        id: "id".to_owned(),
        attributes: BTreeMap::new(),
        policy_principals: PrincipalIds::default(),
        tags: BTreeMap::new(),
        created_ms: 0,
        modified_ms: 0,
        purged_ms: None,
        scope_before: None,
        unknown: Unknown::new(),
    };
    let now_ms = kit.env.now().millis();
    let mut batch = Batch::new();
    batch.create(place.queue("q"), &record);
    // Sent to two nodes, a millisecond apart, with one number.
    for (id, due_ms) in [("a", now_ms - 2), ("b", now_ms - 1)] {
        batch.create(place.message(&record, due_ms, 7), &message(id, 7, due_ms));
    }
    kit.database.commit(batch).await.unwrap();
    let loaded = kit.database.load::<QueueRecord>(&place.queue("q")).await.unwrap().unwrap();
    let arn = "arn:aws:sqs:us-east-1:111122223333:q".to_owned();
    let queue = Queue { place, arn, loaded };
    let cx = kit.cx::<ReceiveMessage>(&kit.root("111122223333"));
    let taken = sqs.take(&cx, &queue, 10, 30_000).await.unwrap();
    let due: Vec<(&str, i64)> =
        taken.iter().map(|(message, _)| (message.id.as_str(), message.due_ms)).collect();
    assert_eq!(due, [("a", now_ms + 30_000), ("b", now_ms + 30_001)]);
    assert!(sqs.take(&cx, &queue, 10, 30_000).await.unwrap().is_empty());
    kit.clock.advance(31);
    assert_eq!(sqs.take(&cx, &queue, 10, 30_000).await.unwrap().len(), 2);
}
