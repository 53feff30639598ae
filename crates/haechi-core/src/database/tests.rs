use haechi_crypto::SystemRandom;
use haechi_store::Options;
use haechi_store_mem::MemStore;

use super::*;

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Note {
    text: String,
    #[serde(flatten)]
    unknown: Unknown,
}
impl Record for Note {}

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), unknown: Unknown::new() }
}

async fn database() -> Database {
    let store = Arc::new(MemStore::new(Options::new(|| std::time::Duration::ZERO)));
    let random = Arc::new(SystemRandom::new());
    let root = RootKey::generate(&*random).unwrap();
    Database::open(store, root, random, Timestamp::from_seconds(0), 0).await.unwrap()
}

fn path(name: &str) -> Path {
    Path::new("note").part("000000000000").hidden(name)
}

#[tokio::test]
async fn a_record_is_read_back_and_neither_it_nor_its_name_is_readable_in_the_store() {
    let database = database().await;
    let mut batch = Batch::new();
    batch.create(path("secret-name"), &note("secret-text"));
    database.commit(batch).await.unwrap();
    let loaded = database.load::<Note>(&path("secret-name")).await.unwrap().unwrap();
    assert_eq!(loaded.value, note("secret-text"));
    let rows = database.store().range(Range::all(), 0, None).await.unwrap().kvs;
    for kv in rows {
        let bytes = [kv.key.as_bytes(), kv.value.as_bytes()].concat();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("secret-"), "{text}");
    }
}

#[tokio::test]
async fn creating_twice_and_writing_over_a_newer_record_conflict() {
    let database = database().await;
    let create = || {
        let mut batch = Batch::new();
        batch.create(path("a"), &note("1"));
        batch
    };
    database.commit(create()).await.unwrap();
    assert!(matches!(database.commit(create()).await, Err(Fault::Conflict)));
    let loaded = database.load::<Note>(&path("a")).await.unwrap().unwrap();
    let replace = || {
        let mut batch = Batch::new();
        batch.replace(&loaded, &note("2"));
        batch
    };
    database.commit(replace()).await.unwrap();
    assert!(matches!(database.commit(replace()).await, Err(Fault::Conflict)));
}

#[tokio::test]
async fn a_swapped_row_does_not_open() {
    let database = database().await;
    let mut batch = Batch::new();
    batch.create(path("a"), &note("a"));
    batch.create(path("b"), &note("b"));
    database.commit(batch).await.unwrap();
    let (a, b) = (database.key(&path("a")), database.key(&path("b")));
    let (rows, _) = database.store().get(&[b], None).await.unwrap();
    let stolen = rows.into_iter().flatten().next().unwrap().value;
    database.store().txn(&[], vec![Op::put(a, stolen)]).await.unwrap();
    assert!(database.load::<Note>(&path("a")).await.is_err());
}

#[tokio::test]
async fn what_is_cached_is_never_older_than_an_acknowledged_write() {
    let database = database().await;
    for text in ["1", "2", "3"] {
        let mut batch = Batch::new();
        batch.put(path("a"), &note(text));
        database.commit(batch).await.unwrap();
        for _ in 0..2 {
            let seen = database
                .cached::<Note, String>(&path("a"), |note| Ok(note.text))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(*seen, text);
        }
    }
}

#[tokio::test]
async fn a_page_that_is_kept_is_never_older_than_an_acknowledged_write() {
    let database = database().await;
    let scope = Path::new("note").part("000000000000");
    let page = async || {
        let (records, next) = database.listed::<Note>(&scope, &scope, None, 2).await.unwrap();
        let mut texts: Vec<String> = records.iter().map(|record| record.text.clone()).collect();
        texts.sort();
        (texts, next.is_some())
    };
    let put = async |name: &str, text: &str| {
        let mut batch = Batch::new();
        batch.put(path(name), &note(text));
        database.commit(batch).await.unwrap();
    };
    // Twice each: what was listed, and what is kept.
    for _ in 0..2 {
        assert_eq!(page().await, (vec![], false));
    }
    put("a", "1").await;
    put("b", "2").await;
    for _ in 0..3 {
        assert_eq!(page().await, (vec!["1".to_owned(), "2".to_owned()], false));
    }
    put("a", "3").await;
    for _ in 0..3 {
        assert_eq!(page().await, (vec!["2".to_owned(), "3".to_owned()], false));
    }
    let kept = database.cached(&path("b"), |record: Note| Ok(record)).await.unwrap().unwrap();
    put("c", "4").await;
    for _ in 0..2 {
        assert!(page().await.1);
    }
    let mut batch = Batch::new();
    batch.delete(path("b"));
    batch.delete(path("c"));
    database.commit(batch).await.unwrap();
    // The record's value is given up at once, also by pages.
    assert_eq!(Arc::strong_count(&kept), 1);
    for _ in 0..2 {
        assert_eq!(page().await, (vec!["3".to_owned()], false));
    }
}

#[tokio::test]
async fn unknown_fields_survive_a_round_trip() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Newer {
        text: String,
        colour: String,
    }
    impl Record for Newer {}
    let database = database().await;
    let mut batch = Batch::new();
    let newer = Newer { text: "t".to_owned(), colour: "red".to_owned() };
    batch.put(path("a"), &newer);
    database.commit(batch).await.unwrap();
    let old = database.load::<Note>(&path("a")).await.unwrap().unwrap();
    let mut batch = Batch::new();
    batch.replace(&old, &Note { text: "changed".to_owned(), ..old.value.clone() });
    database.commit(batch).await.unwrap();
    let newer = database.load::<Newer>(&path("a")).await.unwrap().unwrap().value;
    assert_eq!((newer.text.as_str(), newer.colour.as_str()), ("changed", "red"));
}

#[tokio::test]
async fn a_rotated_keyring_still_opens_what_the_old_key_sealed() {
    let database = database().await;
    let mut batch = Batch::new();
    batch.put(path("a"), &note("old"));
    database.commit(batch).await.unwrap();
    assert!(database.rotate_if_due(Timestamp::from_seconds(60)).await.unwrap().is_none());
    let due = Timestamp::from_seconds(2 * 24 * 3600);
    assert!(database.rotate_if_due(due).await.unwrap().is_some());
    assert_eq!(database.load::<Note>(&path("a")).await.unwrap().unwrap().value.text, "old");
}

async fn rows(store: &Arc<dyn haechi_store::Store>) -> Vec<String> {
    let rows = store.range(Range::prefix("/keyring/"), 0, None).await.unwrap().kvs;
    rows.iter().map(|row| String::from_utf8(row.key.as_bytes().to_vec()).unwrap()).collect()
}

/// A store, its root key's bytes, and another root key's.
type Rekeyed = (Arc<dyn haechi_store::Store>, [u8; 32], [u8; 32]);

fn rekeyed() -> Rekeyed {
    (Arc::new(MemStore::new(Options::new(|| std::time::Duration::ZERO))), [1; 32], [2; 32])
}

async fn opened(store: &Arc<dyn haechi_store::Store>, root: &[u8; 32]) -> Result<Database, Fault> {
    let (root, random) = (RootKey::copy_from(root).unwrap(), Arc::new(SystemRandom::new()));
    Database::open(Arc::clone(store), root, random, Timestamp::from_seconds(0), 0).await
}

#[tokio::test]
async fn the_root_key_changes_while_records_are_read_and_written() {
    let (store, old, new) = rekeyed();
    let database = opened(&store, &old).await.unwrap();
    let write = async |name: &str| {
        let mut batch = Batch::new();
        batch.create(path(name), &note(name));
        database.commit(batch).await.unwrap();
    };
    // More domain keys than one transaction takes.
    for day in 1..=250 {
        let id = database.rotate_if_due(Timestamp::from_seconds(day * 86_400)).await.unwrap();
        assert_eq!(id, Some(u32::try_from(day).unwrap() + 1));
    }
    write("before").await;
    let rekey = database.rekey(RootKey::copy_from(&new).unwrap()).await.unwrap();
    assert_eq!(rekey.epoch(), 251);
    write("meanwhile").await;
    // Both open: which one counts is for seal.json to say.
    for root in [&old, &new] {
        let other = opened(&store, root).await.unwrap();
        assert!(other.load::<Note>(&path("meanwhile")).await.unwrap().is_some());
    }
    rekey.adopt();
    database.forget_other_roots().await.unwrap();
    assert!(opened(&store, &old).await.is_err());
    assert_eq!(rows(&store).await.len(), 252);
    assert!(database.rotate_if_due(Timestamp::from_seconds(251 * 86_400)).await.unwrap().is_some());
    write("after").await;
    let again = opened(&store, &new).await.unwrap();
    for name in ["before", "meanwhile", "after"] {
        assert_eq!(again.load::<Note>(&path(name)).await.unwrap().unwrap().value, note(name));
    }
}

#[tokio::test]
async fn a_change_of_the_root_key_that_is_given_up_changes_nothing() {
    let (store, old, new) = rekeyed();
    let database = opened(&store, &old).await.unwrap();
    let before = rows(&store).await;
    drop(database.rekey(RootKey::copy_from(&new).unwrap()).await.unwrap());
    assert!(database.rotate_if_due(Timestamp::from_seconds(86_400)).await.unwrap().is_some());
    drop(database);
    let again = opened(&store, &old).await.unwrap();
    assert_eq!(again.keyring().current_id(), 2);
    again.forget_other_roots().await.unwrap();
    assert_eq!(rows(&store).await.len(), before.len() + 1);
    assert!(opened(&store, &new).await.is_err());
}

#[tokio::test]
async fn a_store_from_before_root_keys_had_names_opens_and_is_named_by_the_next_change() {
    let (store, old, new) = rekeyed();
    drop(opened(&store, &old).await.unwrap());
    let named = store.range(Range::prefix("/keyring/"), 0, None).await.unwrap().kvs;
    let moved = named.iter().flat_map(|row| {
        let name = String::from_utf8(row.key.as_bytes().to_vec()).unwrap();
        let name = name.splitn(4, '/').nth(3).unwrap();
        let key = Key::new(format!("/keyring/{name}").into_bytes());
        [Op::delete(row.key.clone()), Op::put(key, row.value.as_bytes().to_vec())]
    });
    store.txn(&[], moved.collect()).await.unwrap();
    let database = opened(&store, &old).await.unwrap();
    assert!(database.rotate_if_due(Timestamp::from_seconds(86_400)).await.unwrap().is_some());
    database.forget_other_roots().await.unwrap();
    let unnamed = ["/keyring/domain/0000000001", "/keyring/domain/0000000002", "/keyring/naming"];
    assert_eq!(rows(&store).await, unnamed);
    assert_eq!(opened(&store, &old).await.unwrap().keyring().current_id(), 2);
    let rekey = database.rekey(RootKey::copy_from(&new).unwrap()).await.unwrap();
    rekey.adopt();
    database.forget_other_roots().await.unwrap();
    assert_eq!(opened(&store, &new).await.unwrap().keyring().current_id(), 2);
    assert!(opened(&store, &old).await.is_err());
}
