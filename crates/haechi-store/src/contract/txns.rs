//! Writing: preconditions, atomicity, limits.

use std::{sync::Arc, time::Duration};

use super::{Open, put, rev, row, still, text};
use crate::{Cond, Conflict, Key, Op, Range, Rev, Store, StoreError, TxnError, limits};

/// All rows of a transaction carry its revision, and it is one higher than the last.
pub async fn a_transaction_is_one_revision(open: &Open) {
    let store = open(still());
    put(&*store, "/old", "1").await;
    let ops = vec![Op::put("/a", "1"), Op::delete("/old"), Op::put("/b", "2")];
    assert_eq!(store.txn(&[], ops).await.unwrap(), Rev(2));
    let (rows, at) = store.get(&["/a".into(), "/b".into(), "/old".into()], None).await.unwrap();
    assert_eq!(at, Rev(2));
    let revisions: Vec<_> = rows.iter().map(|row| row.as_ref().map(|kv| kv.mod_rev)).collect();
    assert_eq!(revisions, [Some(Rev(2)), Some(Rev(2)), None]);
}

async fn holds(store: &dyn Store, cond: Cond) -> bool {
    match store.txn(&[cond], vec![]).await {
        Ok(_) => true,
        Err(TxnError::Conflict(_)) => false,
        Err(TxnError::Store(error)) => panic!("{error}"),
    }
}

/// Each kind of precondition, when it holds and when it does not.
pub async fn each_precondition_holds_and_fails(open: &Open) {
    let store = open(still());
    let created = put(&*store, "/a", "1").await;
    let written = put(&*store, "/a", "2").await;
    let lease = store.lease(Duration::from_secs(1)).await.unwrap();
    let (a, none) = (|| Key::from("/a"), || Key::from("/none"));
    for cond in [
        Cond::ModRev(a(), written),
        Cond::ModRev(none(), Rev::ZERO),
        Cond::CreateRev(a(), created),
        Cond::CreateRev(none(), Rev::ZERO),
        Cond::Absent(none()),
        Cond::Exists(a()),
        Cond::Equals(a(), "2".into()),
        Cond::Held(lease.id),
    ] {
        assert!(holds(&*store, cond.clone()).await, "{cond:?}");
    }
    store.revoke(lease.id).await.unwrap();
    for cond in [
        Cond::ModRev(a(), created),
        Cond::ModRev(a(), Rev::ZERO),
        Cond::ModRev(none(), created),
        Cond::CreateRev(a(), written),
        Cond::CreateRev(a(), Rev::ZERO),
        Cond::Absent(a()),
        Cond::Exists(none()),
        Cond::Equals(a(), "1".into()),
        Cond::Equals(none(), "".into()),
        Cond::Held(lease.id),
    ] {
        assert!(!holds(&*store, cond.clone()).await, "{cond:?}");
    }
}

/// A conflict leaves no trace and says which precondition failed first.
pub async fn a_failed_precondition_writes_nothing_and_is_named(open: &Open) {
    let store = open(still());
    let at = put(&*store, "/a", "1").await;
    let when = [Cond::Exists("/a".into()), Cond::Absent("/a".into()), Cond::Exists("/none".into())];
    let ops = vec![Op::put("/a", "2"), Op::put("/b", "2")];
    let answer = store.txn(&when, ops).await;
    let Err(TxnError::Conflict(conflict)) = answer else { panic!("{answer:?}") };
    assert_eq!(conflict, Conflict { index: 1, rev: at });
    assert_eq!(rev(&*store).await, at);
    assert_eq!(text(&*store, "/a", None).await.as_deref(), Some("1"));
    assert!(row(&*store, "/b").await.is_none());
}

/// No change, no revision, as in etcd.
pub async fn a_transaction_without_effect_keeps_the_revision(open: &Open) {
    let store = open(still());
    let at = put(&*store, "/a", "1").await;
    assert_eq!(store.txn(&[Cond::Exists("/a".into())], vec![]).await.unwrap(), at);
    assert_eq!(store.txn(&[], vec![Op::delete("/none")]).await.unwrap(), at);
    assert_eq!(put(&*store, "/a", "1").await, at.next(), "the same value again is a change");
}

async fn refusal(store: &dyn Store, when: &[Cond], then: Vec<Op>) -> StoreError {
    let before = rev(store).await;
    let answer = store.txn(when, then).await;
    let Err(TxnError::Store(error)) = answer else { panic!("{answer:?}") };
    assert_eq!(rev(store).await, before);
    error
}

/// At the limit it works, one above it does not; the same on every engine.
pub async fn limits_are_exact(open: &Open) {
    let store = open(still());
    let ops = |count: usize| (0..count).map(|n| Op::put(format!("/{n}"), "")).collect::<Vec<_>>();
    let conds = |count: usize| vec![Cond::Absent("/none".into()); count];
    store.txn(&conds(100), ops(100)).await.unwrap();
    let deletes: Vec<Op> = (0..100).map(|n| Op::delete(format!("/{n}"))).collect();
    for _ in ["of rows that are there", "of rows that are not"] {
        store.txn(&conds(100), deletes.clone()).await.unwrap();
        assert!(row(&*store, "/99").await.is_none());
    }
    let error = refusal(&*store, &[], ops(101)).await;
    assert!(matches!(error, StoreError::TooManyOps { count: 101 }), "{error:?}");
    let error = refusal(&*store, &conds(101), vec![]).await;
    assert!(matches!(error, StoreError::TooManyOps { count: 101 }), "{error:?}");

    let full = vec![7; limits::TXN_BYTES_MAX - 2];
    store.txn(&[], vec![Op::put("/f", full.clone())]).await.unwrap();
    assert_eq!(row(&*store, "/f").await.unwrap().value.as_bytes(), full);
    let error = refusal(&*store, &[], vec![Op::put("/ff", full.clone())]).await;
    assert!(matches!(error, StoreError::TooManyBytes { .. }), "{error:?}");
    let when = [Cond::Exists("/f".into())];
    let error = refusal(&*store, &when, vec![Op::put("/f", full.clone())]).await;
    assert!(matches!(error, StoreError::TooManyBytes { .. }), "preconditions count: {error:?}");
    let when = [Cond::Equals("/f".into(), vec![0; limits::TXN_BYTES_MAX].into())];
    let error = refusal(&*store, &when, vec![]).await;
    assert!(matches!(error, StoreError::TooManyBytes { .. }), "{error:?}");
}

/// Keys are 1 to `KEY_BYTES_MAX` bytes of any kind.
pub async fn bad_keys_are_refused(open: &Open) {
    let store = open(still());
    let longest = vec![0xfe; limits::KEY_BYTES_MAX];
    store.txn(&[], vec![Op::put(longest.clone(), "v")]).await.unwrap();
    let found = store.get(&[Key::from(longest.clone())], None).await.unwrap().0.remove(0);
    assert_eq!(found.unwrap().key.as_bytes(), longest);
    for key in [vec![], vec![0; limits::KEY_BYTES_MAX + 1]] {
        for op in [Op::put(key.clone(), "v"), Op::delete(key.clone())] {
            let error = refusal(&*store, &[], vec![op]).await;
            assert!(matches!(error, StoreError::KeySize { .. }), "{error:?}");
        }
        let error = refusal(&*store, &[Cond::Absent(key.into())], vec![]).await;
        assert!(matches!(error, StoreError::KeySize { .. }), "{error:?}");
    }
}

/// A put and anything else on one key in one transaction is ambiguous; two deletes are not.
pub async fn a_key_put_twice_is_refused(open: &Open) {
    let store = open(still());
    let (put, delete) = (|| Op::put("/a", "1"), || Op::delete("/a"));
    for ops in [vec![put(), put()], vec![put(), delete()], vec![delete(), put()]] {
        let error = refusal(&*store, &[], ops).await;
        assert!(matches!(error, StoreError::DuplicateKey { .. }), "{error:?}");
    }
    store.txn(&[], vec![delete(), delete()]).await.unwrap();
}

/// Compare-and-swap from many tasks: every success counts once.
pub async fn concurrent_increments_lose_none(open: &Open) {
    const TASKS: usize = 16;
    const INCREMENTS: usize = 25;
    let store = open(still());
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..INCREMENTS {
                    increment(&store).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let kv = row(&*store, "/count").await.unwrap();
    let total = TASKS * INCREMENTS;
    assert_eq!(kv.value.as_bytes(), total.to_string().as_bytes());
    assert_eq!((kv.version, kv.mod_rev), (total as u64, Rev(total as u64)));
}

async fn increment(store: &Arc<dyn Store>) {
    loop {
        let kv = row(&**store, "/count").await;
        let seen = kv.as_ref().map_or(Rev::ZERO, |kv| kv.mod_rev);
        let count: u64 =
            kv.map_or(0, |kv| std::str::from_utf8(kv.value.as_bytes()).unwrap().parse().unwrap());
        let op = Op::put("/count", (count + 1).to_string().into_bytes());
        match store.txn(&[Cond::ModRev("/count".into(), seen)], vec![op]).await {
            Ok(rev) => return assert!(rev > seen),
            Err(TxnError::Conflict(_)) => {}
            Err(TxnError::Store(error)) => panic!("{error}"),
        }
    }
}

/// Rows written together are read together, by `get` and by `range`.
pub async fn readers_never_see_half_a_transaction(open: &Open) {
    let store = open(still());
    let keys: Vec<Key> = (0..5).map(|n| Key::from(format!("/t/{n}"))).collect();
    let writer = tokio::spawn({
        let (store, keys) = (store.clone(), keys.clone());
        async move {
            for round in 0..200 {
                let text = round.to_string();
                let ops = keys.iter().map(|key| Op::put(key.clone(), text.as_str())).collect();
                store.txn(&[], ops).await.unwrap();
            }
        }
    });
    let mut last = Rev::ZERO;
    while !writer.is_finished() {
        let (rows, at) = store.get(&keys, None).await.unwrap();
        let page = store.range(Range::prefix("/t/"), 0, None).await.unwrap();
        assert!(at >= last && page.rev >= at, "time runs backwards");
        last = page.rev;
        for revisions in [
            rows.iter().map(|row| row.as_ref().map(|kv| kv.mod_rev)).collect::<Vec<_>>(),
            page.kvs.iter().map(|kv| Some(kv.mod_rev)).collect(),
        ] {
            assert!(revisions.windows(2).all(|two| two[0] == two[1]), "{revisions:?}");
        }
    }
    writer.await.unwrap();
    assert_eq!(rev(&*store).await, Rev(200));
}
