//! A change of the root key that is cut off after any of its steps.

use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Clock, Path as RecordPath, Record, SystemClock};
use haechi_crypto::seal::{create, create_shared};
use haechi_crypto::{SealRequest, SecretVec, SystemRandom};
use haechi_store_sqlite::SqliteStore;

use super::*;
use crate::stack::{environment, store_clock};

const STEPS: [Step; 3] = [Step::RowsWritten, Step::SealReplaced, Step::OldRowsForgotten];

#[derive(serde::Serialize, serde::Deserialize)]
struct Note {
    text: String,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for Note {}

fn place() -> RecordPath {
    RecordPath::new("note").hidden("a")
}

/// A data directory with its records open.
struct Open {
    database: Database,
    env: Env,
    keeper: Keeper,
}

async fn try_open(data: &DataDirectory) -> Result<Open, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let env = environment(Arc::clone(&clock));
    let seal = SealConfig::load(data.path())?.ok_or("no seal")?;
    let root = seal.unseal(data.path(), None)?;
    let store = Arc::new(SqliteStore::open(data.store(), store_clock(&clock))?);
    let random = Arc::clone(&env.random);
    let database = Database::open(store, root, random, env.now(), seal.epoch()).await?;
    Ok(Open { database, env, keeper: Keeper::new(data, seal) })
}

async fn opened(data: &DataDirectory) -> Open {
    try_open(data).await.unwrap()
}

async fn text(open: &Open) -> String {
    open.database.load::<Note>(&place()).await.unwrap().unwrap().value.text
}

/// A data directory with a record in it.
async fn made() -> (tempfile::TempDir, DataDirectory) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDirectory::open_or_create(&folder.path().join("data")).unwrap();
    let request = SealRequest::File { path: "root.key".into() };
    let (seal, _) = create(&request, data.path(), &SystemRandom::new()).unwrap();
    seal.save(data.path()).unwrap();
    let open = opened(&data).await;
    let mut batch = Batch::new();
    batch.create(place(), &Note { text: "kept".to_owned(), unknown: Unknown::new() });
    open.database.commit(batch).await.unwrap();
    (folder, data)
}

async fn prepare(open: &Open, name: &str) {
    let request = SealRequest::File { path: name.into() };
    let (seal, root) = create(&request, open.keeper.path(), &SystemRandom::new()).unwrap();
    open.keeper.prepare(Some(NewRoot { seal, root })).await;
}

#[tokio::test]
async fn a_change_that_is_cut_off_after_any_step_leaves_the_old_root_key_or_the_new() {
    for last in STEPS {
        let (_folder, data) = made().await;
        let before = SealConfig::load(data.path()).unwrap().unwrap();
        {
            let open = opened(&data).await;
            prepare(&open, "root-2.key").await;
            // As a crash does it: nothing is closed, nothing is undone.
            let cut = |step| if step == last { Err("cut off".into()) } else { Ok(()) };
            let cut = open.keeper.commit((&open.database, None), &open.env, &cut).await;
            assert_eq!(cut.err().unwrap().to_string(), "cut off");
        }
        let after = SealConfig::load(data.path()).unwrap().unwrap();
        assert_eq!(after == before, last == Step::RowsWritten, "{last:?}");
        let open = opened(&data).await;
        assert_eq!(text(&open).await, "kept", "{last:?}");
        // And it can be done again, or for the first time.
        prepare(&open, "root-3.key").await;
        open.keeper.commit((&open.database, None), &open.env, &|_| Ok(())).await.unwrap();
        drop(open);
        let open = opened(&data).await;
        assert_eq!(text(&open).await, "kept", "{last:?}");
        let seal = open.keeper.seal().await;
        assert_eq!(root_key_file(data.path(), &seal).unwrap(), data.path().join("root-3.key"));
    }
}

#[tokio::test]
async fn after_the_change_the_old_root_key_opens_nothing() {
    let (_folder, data) = made().await;
    let old = SealConfig::load(data.path()).unwrap().unwrap();
    let open = opened(&data).await;
    prepare(&open, "root-2.key").await;
    let file = open.keeper.commit((&open.database, None), &open.env, &|_| Ok(())).await.unwrap();
    assert_eq!(file.old_root_key.unwrap(), data.path().join("root.key"));
    drop(open);
    old.save(data.path()).unwrap();
    let refused = try_open(&data).await.err().unwrap();
    assert!(crate::chain(&*refused).contains("does not open under this root key"), "{refused}");
}

#[tokio::test]
async fn what_is_prepared_is_forgotten_with_its_file_and_cannot_be_committed() {
    let (_folder, data) = made().await;
    let open = opened(&data).await;
    prepare(&open, "root-2.key").await;
    prepare(&open, "root-3.key").await;
    assert!(!data.path().join("root-2.key").exists());
    open.keeper.prepare(None).await;
    assert!(!data.path().join("root-3.key").exists());
    let refused = open.keeper.commit((&open.database, None), &open.env, &|_| Ok(())).await;
    assert!(refused.err().unwrap().to_string().contains("no new root key"));
    drop(open);
    assert_eq!(text(&opened(&data).await).await, "kept");
}

#[tokio::test]
async fn a_root_key_moves_to_shares_and_the_epoch_goes_with_it() {
    let (_folder, data) = made().await;
    let open = opened(&data).await;
    let (seal, root, shares) = create_shared(2, 2, None, &SystemRandom::new()).unwrap();
    open.keeper.prepare(Some(NewRoot { seal, root })).await;
    open.keeper.commit((&open.database, None), &open.env, &|_| Ok(())).await.unwrap();
    drop(open);
    let seal = SealConfig::load(data.path()).unwrap().unwrap();
    assert_eq!(seal.epoch(), 1);
    let lines: Vec<&[u8]> = shares.iter().map(SecretVec::expose).collect();
    let lines = SecretVec::from(lines.join(&b'\n'));
    assert!(seal.unseal(data.path(), Some(&lines)).is_ok());
}
