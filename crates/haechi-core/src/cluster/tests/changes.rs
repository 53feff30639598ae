//! What nodes have in common is changed: the format of records, the root key.

use std::sync::Arc;
use std::time::Duration;

use haechi_crypto::{RootKey, SystemRandom};
use haechi_store::Store;
use haechi_wire::Timestamp;

use super::{Node, Note, database, store};
use crate::database::Unknown;
use crate::{Batch, Database, Path, RecordFormat, SystemClock};

/// Format 2: a mark, and format 1.
struct Marked;

impl RecordFormat for Marked {
    fn number(&self) -> u32 {
        2
    }

    fn write(&self, plain: zeroize::Zeroizing<Vec<u8>>) -> zeroize::Zeroizing<Vec<u8>> {
        zeroize::Zeroizing::new([&[2], plain.as_slice()].concat())
    }

    fn read<'a>(&self, stored: &'a [u8]) -> &'a [u8] {
        stored.strip_prefix(&[2]).unwrap_or(stored)
    }
}

async fn newer_database(store: &Arc<dyn Store>) -> Database {
    let root = RootKey::copy_from(&[7; 32]).unwrap();
    let (store, random) = (Arc::clone(store), Arc::new(SystemRandom::new()));
    let now = crate::Clock::now(&SystemClock);
    Database::open_knowing(store, root, random, now, 0, Some(Arc::new(Marked))).await.unwrap()
}

#[tokio::test]
async fn a_node_that_slept_while_the_format_rose_ends() {
    let store = store();
    let mut old = Node::new(&store, "old").await;
    store.txn(&[], vec![haechi_store::Op::put("/cluster/format", "2")]).await.unwrap();
    old.run();
    let why = tokio::time::timeout(Duration::from_secs(10), old.cluster.must_end()).await.unwrap();
    assert!(why.contains("use a newer version"), "{why}");
}

#[tokio::test]
async fn records_of_the_next_format_are_read_by_who_knows_it_and_keep_others_from_starting() {
    let store = store();
    let path = || Path::new("note").part("1").part("x");
    let note = |text: &str| Note { text: text.to_owned(), unknown: Unknown::new() };
    let write = async |database: &Database, text: &str| {
        let mut batch = Batch::new();
        batch.put(path(), &note(text));
        database.commit(batch).await.unwrap();
    };
    let older = database(&store).await;
    let newer = newer_database(&store).await;
    write(&newer, "while both run").await;
    assert_eq!(older.load::<Note>(&path()).await.unwrap().unwrap().value.text, "while both run");
    newer.raise_format_alone().await.unwrap();
    assert_eq!(newer.load::<Note>(&path()).await.unwrap().unwrap().value.text, "while both run");
    write(&newer, "risen").await;
    assert_eq!(newer.load::<Note>(&path()).await.unwrap().unwrap().value.text, "risen");
    assert!(older.load::<Note>(&path()).await.is_err(), "it takes the record for damaged");
    let root = RootKey::copy_from(&[7; 32]).unwrap();
    let (random, now) = (Arc::new(SystemRandom::new()), crate::Clock::now(&SystemClock));
    let refused = Database::open(Arc::clone(&store), root, random, now, 0).await.err().unwrap();
    assert!(format!("{refused:?}").contains("use a newer version"));
    assert_eq!(newer_database(&store).await.format(), 2);
}

#[tokio::test]
async fn while_the_root_key_is_being_changed_nobody_makes_a_domain_key() {
    let store = store();
    let (one, two) = (database(&store).await, database(&store).await);
    one.share();
    two.share();
    let next = || RootKey::copy_from(&[8; 32]).unwrap();
    let rekey = one.rekey(next()).await.unwrap();
    let tomorrow = crate::Clock::now(&SystemClock).plus_seconds(2 * 86_400);
    assert_eq!(two.rotate_if_due(tomorrow).await.unwrap(), None);
    rekey.adopt();
    assert_eq!(one.rotate_if_due(tomorrow).await.unwrap(), None);
    assert_ne!(one.root_id(), two.root_id());
    let change = two.root_change().await.unwrap().unwrap();
    assert_eq!((Some(change.from), Some(change.to)), (two.root_id(), one.root_id()));
    // The other goes over to it, and then the old one goes.
    two.rekeyed(next()).await.unwrap().adopt();
    assert_eq!(one.root_id(), two.root_id());
    one.forget_other_roots().await.unwrap();
    assert_eq!(two.root_change().await.unwrap(), None);
    assert_eq!(two.rotate_if_due(tomorrow).await.unwrap(), Some(2));
    assert!(one.reload_keyring().await.is_ok());
    assert_eq!(one.keyring().current_id(), 2);
}

#[tokio::test]
async fn a_node_whose_root_key_the_others_have_done_away_with_makes_no_domain_key_and_ends() {
    let store = store();
    let mut behind = Node::new(&store, "behind").await;
    let ahead = database(&store).await;
    ahead.share();
    ahead.rekey(RootKey::copy_from(&[8; 32]).unwrap()).await.unwrap().adopt();
    ahead.forget_other_roots().await.unwrap();
    let tomorrow: Timestamp = crate::Clock::now(&SystemClock).plus_seconds(2 * 86_400);
    assert!(behind.database.rotate_if_due(tomorrow).await.is_err());
    assert_eq!(ahead.rotate_if_due(tomorrow).await.unwrap(), Some(2));
    behind.run();
    let ends = tokio::time::timeout(Duration::from_secs(10), behind.cluster.must_end());
    assert!(ends.await.unwrap().contains("Copy seal.json"));
}

#[tokio::test]
async fn a_seal_that_knows_of_records_does_not_open_an_empty_store() {
    let root = RootKey::copy_from(&[7; 32]).unwrap();
    let random = Arc::new(SystemRandom::new());
    let refused = Database::open(store(), root, random, Timestamp::from_seconds(0), 3).await;
    assert!(format!("{:?}", refused.err().unwrap()).contains("the store is empty"));
}
