use haechi_crypto::{RootKey, SystemRandom};
use haechi_store::{Options, Range};
use haechi_store_mem::MemStore;

use super::*;
use crate::{AuditError, AuditPosition, AuditReadError, Visit};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    text: String,
}
impl Record for Note {}

/// A log of records, in memory.
#[derive(Default)]
struct Records(Mutex<Vec<Vec<u8>>>);

#[async_trait::async_trait]
impl AuditLog for Records {
    fn is_healthy(&self) -> bool {
        true
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        self.0.lock().unwrap().push(record);
        Ok(())
    }
}

impl AuditReader for Records {
    fn newest_first(
        &self,
        _: Option<AuditPosition>,
        _: AuditWindow,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        for record in self.0.lock().unwrap().iter().rev() {
            if visit(AuditPosition::default(), record).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn oldest_first(
        &self,
        _: Option<AuditPosition>,
        _: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        Ok(())
    }
}

async fn database() -> Arc<Database> {
    let store = Arc::new(MemStore::new(Options::new(|| std::time::Duration::ZERO)));
    let random = Arc::new(SystemRandom::new());
    let root = RootKey::generate(&*random).unwrap();
    let now = Timestamp::from_seconds(0);
    Arc::new(Database::open(store, root, random, now, 0).await.unwrap())
}

fn intent(intents: &Intents, event_id: &str) -> Arc<Intent> {
    let record = format!("{{\"eventName\":\"CreateNote\",\"eventID\":\"{event_id}\"}}");
    intents.of(event_id, Timestamp::from_seconds(1), record.into_bytes())
}

async fn write(database: &Database, name: &str) {
    let mut batch = Batch::new();
    batch.put(Path::new("note").part(name), &Note { text: name.to_owned() });
    database.commit(batch).await.unwrap();
}

async fn rows(database: &Database) -> usize {
    database.store().range(Range::prefix("/intent/"), 0, None).await.unwrap().kvs.len()
}

#[tokio::test]
async fn a_change_that_was_not_recorded_is_recorded_at_the_next_start_once() {
    let (database, log) = (database().await, Arc::new(Records::default()));
    let intents = Intents::new(Arc::clone(&database), "s");
    intents.around(intent(&intents, "e-1"), write(&database, "a")).await;
    for expected in [1, 0] {
        let recovered = intents.recover(&*log, Arc::clone(&log) as _).await.unwrap();
        assert_eq!(recovered, expected);
    }
    let records = log.0.lock().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&records[0]).unwrap();
    assert_eq!(record["eventID"], "e-1");
    assert_eq!(record["additionalEventData"]["wrote"], serde_json::json!(["/note/a/"]));
    assert_eq!(records.len(), 1);
}

#[tokio::test]
async fn a_change_whose_record_was_written_before_the_crash_is_not_recorded_twice() {
    let (database, log) = (database().await, Arc::new(Records::default()));
    let intents = Intents::new(Arc::clone(&database), "s");
    intents.around(intent(&intents, "e-1"), write(&database, "a")).await;
    log.append(b"{\"eventID\":\"e-1\"}".to_vec()).await.unwrap();
    assert_eq!(intents.recover(&*log, Arc::clone(&log) as _).await.unwrap(), 0);
    assert_eq!(rows(&database).await, 0);
}

#[tokio::test]
async fn a_settled_intent_leaves_nothing_and_one_that_is_not_stays() {
    let database = database().await;
    let intents = Intents::new(Arc::clone(&database), "s");
    let (settled, open) = (intent(&intents, "e-1"), intent(&intents, "e-2"));
    intents.around(Arc::clone(&settled), write(&database, "a")).await;
    intents.around(Arc::clone(&open), write(&database, "b")).await;
    assert_eq!(rows(&database).await, 2);
    intents.settle(&settled);
    intents.flush().await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_call_that_changes_nothing_and_what_runs_beside_calls_leave_no_intent() {
    let database = database().await;
    let intents = Intents::new(Arc::clone(&database), "s");
    let idle = intent(&intents, "e-1");
    intents.around(Arc::clone(&idle), database.commit(Batch::new())).await.unwrap();
    write(&database, "a").await;
    assert_eq!(rows(&database).await, 0);
    intents.settle(&idle);
    assert!(intents.settled().is_empty());
}

/// A log whose disk is full, until it is not.
struct Full(std::sync::atomic::AtomicBool, Records);

#[async_trait::async_trait]
impl AuditLog for Full {
    fn is_healthy(&self) -> bool {
        !self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        if self.is_healthy() { self.1.append(record).await } else { Err(AuditError("full".into())) }
    }
}

#[tokio::test]
async fn a_change_whose_record_the_log_refused_is_recorded_once_the_log_is_well() {
    let (database, log) = (database().await, Full(true.into(), Records::default()));
    let intents = Intents::new(Arc::clone(&database), "s");
    let (owed, idle, running) =
        (intent(&intents, "e-1"), intent(&intents, "e-2"), intent(&intents, "e-3"));
    intents.around(Arc::clone(&owed), write(&database, "a")).await;
    intents.around(Arc::clone(&running), write(&database, "b")).await;
    intents.owe(&owed);
    intents.owe(&idle);
    assert_eq!(intents.make_good(&log).await.unwrap(), 0);
    assert_eq!(rows(&database).await, 2);
    log.0.store(false, std::sync::atomic::Ordering::SeqCst);
    for expected in [1, 0] {
        assert_eq!(intents.make_good(&log).await.unwrap(), expected);
        intents.flush().await.unwrap();
    }
    // The one that is still under way is left alone.
    assert_eq!(rows(&database).await, 1);
    let records = log.1.0.lock().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&records[0]).unwrap();
    assert_eq!((record["eventID"].as_str(), records.len()), (Some("e-1"), 1));
}
