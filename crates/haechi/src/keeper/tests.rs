//! A change of the root key that is cut off after any of its steps.

use std::sync::Arc;

use haechi_core::{Clock, SystemClock};
use haechi_crypto::seal::{create, create_shared};
use haechi_crypto::{SealRequest, SecretVec, SystemRandom};
use haechi_store_sqlite::SqliteStore;

use super::*;
use crate::cli::SealOptions;
use crate::installation::Installation;
use crate::stack::{environment, store_clock};

const STEPS: [Step; 3] = [Step::RowsWritten, Step::SealReplaced, Step::OldRowsForgotten];

/// A data directory with an account in it.
async fn made() -> (tempfile::TempDir, DataDirectory, String) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDirectory::open_or_create(&folder.path().join("data")).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    drop(SqliteStore::open(data.store(), store_clock(&clock)).unwrap());
    let request = SealRequest::File { path: "root.key".into() };
    let (seal, _) = create(&request, data.path(), &SystemRandom::new()).unwrap();
    seal.save(data.path()).unwrap();
    let open = opened(&data).await;
    let account = open.stack.account(None, None, &environment(clock)).await.unwrap();
    open.close().await.unwrap();
    (folder, data, account.to_string())
}

async fn opened(data: &DataDirectory) -> Installation {
    Installation::open(data, &SealOptions::default()).await.unwrap()
}

async fn accounts(open: &Installation) -> Vec<String> {
    let accounts = open.stack.iam.accounts().await.unwrap();
    accounts.into_iter().map(|account| account.to_string()).collect()
}

async fn prepare(open: &Installation, name: &str) {
    let keeper = open.keeper.as_ref().unwrap();
    let request = SealRequest::File { path: name.into() };
    let (seal, root) = create(&request, keeper.path(), &SystemRandom::new()).unwrap();
    keeper.prepare(Some(NewRoot { seal, root })).await;
}

#[tokio::test]
async fn a_change_that_is_cut_off_after_any_step_leaves_the_old_root_key_or_the_new() {
    for last in STEPS {
        let (_folder, data, account) = made().await;
        let before = SealConfig::load(data.path()).unwrap().unwrap();
        {
            let open = opened(&data).await;
            prepare(&open, "root-2.key").await;
            let keeper = open.keeper.as_ref().unwrap();
            // As a crash does it: nothing is closed, nothing is undone.
            let cut = |step| if step == last { Err("cut off".into()) } else { Ok(()) };
            let cut = keeper.commit(&open.stack.database, &open.env, &cut).await;
            assert_eq!(cut.unwrap_err().to_string(), "cut off");
        }
        let after = SealConfig::load(data.path()).unwrap().unwrap();
        assert_eq!(after == before, last == Step::RowsWritten, "{last:?}");
        let open = opened(&data).await;
        assert_eq!(accounts(&open).await, std::slice::from_ref(&account), "{last:?}");
        // And it can be done again, or for the first time.
        prepare(&open, "root-3.key").await;
        let keeper = open.keeper.as_ref().unwrap();
        keeper.commit(&open.stack.database, &open.env, &|_| Ok(())).await.unwrap();
        drop(open);
        let open = opened(&data).await;
        assert_eq!(accounts(&open).await, [account], "{last:?}");
        let seal = open.keeper.as_ref().unwrap().seal().await;
        assert_eq!(root_key_file(data.path(), &seal).unwrap(), data.path().join("root-3.key"));
    }
}

#[tokio::test]
async fn after_the_change_the_old_root_key_opens_nothing() {
    let (_folder, data, _) = made().await;
    let old = SealConfig::load(data.path()).unwrap().unwrap();
    let open = opened(&data).await;
    prepare(&open, "root-2.key").await;
    let keeper = open.keeper.as_ref().unwrap();
    let file = keeper.commit(&open.stack.database, &open.env, &|_| Ok(())).await.unwrap();
    assert_eq!(file.unwrap(), data.path().join("root.key"));
    drop(open);
    old.save(data.path()).unwrap();
    let refused = Installation::open(&data, &SealOptions::default()).await.err().unwrap();
    assert!(crate::chain(&*refused).contains("does not open under this root key"), "{refused}");
}

#[tokio::test]
async fn what_is_prepared_is_forgotten_with_its_file_and_cannot_be_committed() {
    let (_folder, data, account) = made().await;
    let open = opened(&data).await;
    let keeper = open.keeper.as_ref().unwrap();
    prepare(&open, "root-2.key").await;
    prepare(&open, "root-3.key").await;
    assert!(!data.path().join("root-2.key").exists());
    keeper.prepare(None).await;
    assert!(!data.path().join("root-3.key").exists());
    let refused = keeper.commit(&open.stack.database, &open.env, &|_| Ok(())).await;
    assert!(refused.unwrap_err().to_string().contains("no new root key"));
    drop(open);
    assert_eq!(accounts(&opened(&data).await).await, [account]);
}

#[tokio::test]
async fn a_root_key_moves_to_shares_and_the_epoch_goes_with_it() {
    let (_folder, data, _) = made().await;
    let open = opened(&data).await;
    let keeper = open.keeper.as_ref().unwrap();
    let (seal, root, shares) = create_shared(2, 2, None, &SystemRandom::new()).unwrap();
    keeper.prepare(Some(NewRoot { seal, root })).await;
    keeper.commit(&open.stack.database, &open.env, &|_| Ok(())).await.unwrap();
    drop(open);
    let seal = SealConfig::load(data.path()).unwrap().unwrap();
    assert_eq!(seal.epoch(), 1);
    let lines: Vec<&[u8]> = shares.iter().map(SecretVec::expose).collect();
    let lines = SecretVec::from(lines.join(&b'\n'));
    assert!(seal.unseal(data.path(), Some(&lines)).is_ok());
}
