//! Watching: order, resume, and the refusal to skip.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt;
use tokio::time::timeout;

use super::{Open, delete, put, rev, still};
use crate::{Batch, Event, Op, Rev, StoreError, Watch};

/// So that a missing event fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next(watch: &mut Watch) -> Result<Batch, StoreError> {
    timeout(PATIENCE, watch.next()).await.expect("an event").expect("a stream without end")
}

fn names(batch: &Batch) -> Vec<String> {
    batch
        .events
        .iter()
        .map(|event| match event {
            Event::Put(kv) => format!("+{}={}", kv.key, kv.value.as_bytes().escape_ascii()),
            Event::Delete { key } => format!("-{key}"),
        })
        .collect()
}

/// Past and live changes, one batch per revision, other prefixes left out.
pub async fn a_watch_sees_every_change_under_its_prefix_in_order(open: &Open) {
    let store = open(still());
    put(&*store, "/w/1", "a").await;
    let mut watch = store.watch("/w/".into(), Rev(1));
    put(&*store, "/other", "x").await;
    let ops =
        vec![Op::put("/w/2", "b"), Op::put("/x", "x"), Op::delete("/w/1"), Op::delete("/w/no")];
    store.txn(&[], ops).await.unwrap();

    let first = next(&mut watch).await.unwrap();
    assert_eq!((first.rev, names(&first)), (Rev(1), vec!["+/w/1=a".to_owned()]));
    let second = next(&mut watch).await.unwrap();
    assert_eq!(second.rev, Rev(3));
    assert_eq!(names(&second), ["+/w/2=b", "-/w/1"]);
    let Event::Put(kv) = &second.events[0] else { panic!() };
    assert_eq!((kv.create_rev, kv.mod_rev, kv.version), (Rev(3), Rev(3), 1));

    let live =
        tokio::spawn(async move { next(&mut watch).await.map(|batch| (batch.rev, names(&batch))) });
    put(&*store, "/w/2", "c").await;
    assert_eq!(live.await.unwrap().unwrap(), (Rev(4), vec!["+/w/2=c".to_owned()]));
}

/// `Rev::ZERO` skips what was, and misses nothing that is written before the first poll.
pub async fn a_watch_from_zero_begins_with_the_next_revision(open: &Open) {
    let store = open(still());
    put(&*store, "/a", "old").await;
    let mut watch = store.watch("/".into(), Rev::ZERO);
    put(&*store, "/a", "new").await;
    assert_eq!(names(&next(&mut watch).await.unwrap()), ["+/a=new"]);
    let mut future = store.watch("/".into(), Rev(4));
    put(&*store, "/a", "3").await;
    put(&*store, "/a", "4").await;
    assert_eq!(next(&mut future).await.unwrap().rev, Rev(4), "a watch may wait for a revision");
}

/// From `rev.next()` of the last batch, a new watch goes on exactly there.
pub async fn a_broken_watch_resumes_without_gap_or_repeat(open: &Open) {
    let store = open(still());
    for number in 0..20 {
        put(&*store, "/a", &number.to_string()).await;
    }
    let mut seen = Vec::new();
    let mut from = Rev(1);
    while seen.len() < 20 {
        let mut watch = store.watch("/a".into(), from);
        for _ in 0..3.min(20 - seen.len()) {
            let batch = next(&mut watch).await.unwrap();
            from = batch.rev.next();
            seen.push(batch.rev.0);
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

/// A resume from before the history is an error that says where the history begins.
pub async fn a_watch_of_forgotten_revisions_is_told(open: &Open) {
    let store = open(still().with_history(5));
    for _ in 0..50 {
        put(&*store, "/a", "v").await;
    }
    let mut watch = store.watch("/".into(), Rev(1));
    let Err(StoreError::Compacted { asked: Rev(1), oldest }) = next(&mut watch).await else {
        panic!("revision 1 is watchable")
    };
    assert!(timeout(PATIENCE, watch.next()).await.unwrap().is_none(), "it ends after the error");
    let mut watch = store.watch("/".into(), oldest.next());
    assert_eq!(next(&mut watch).await.unwrap().rev, oldest.next());
}

/// A watch that falls behind the history while it is open is told, or sees it all the same: what a
/// server has sent already is not lost.
pub async fn a_slow_watch_is_told_rather_than_skipped(open: &Open) {
    let store = open(still().with_history(5));
    let mut watch = store.watch("/".into(), Rev(1));
    put(&*store, "/a", "v").await;
    assert_eq!(next(&mut watch).await.unwrap().rev, Rev(1));
    for _ in 0..50 {
        put(&*store, "/a", "v").await;
    }
    for expected in 2..=51 {
        match next(&mut watch).await {
            Ok(batch) => assert_eq!(batch.rev, Rev(expected)),
            Err(StoreError::Compacted { asked, .. }) => return assert_eq!(asked, Rev(expected)),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Under concurrent writers every watch sees all revisions, in order, and what it sees is the truth.
pub async fn watches_agree_under_concurrent_writers(open: &Open) {
    const WRITERS: u64 = 8;
    const WRITES: u64 = 40;
    let store = open(still());
    let watchers: Vec<_> = (0..3)
        .map(|_| {
            let mut watch = store.watch("/c/".into(), Rev(1));
            tokio::spawn(async move {
                let (mut batches, mut events) = (Vec::new(), 0);
                while events < WRITERS * WRITES {
                    let batch = next(&mut watch).await.unwrap();
                    events += batch.events.len() as u64;
                    batches.push(batch);
                }
                batches
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..WRITES {
                    put(&*store, &format!("/c/{writer}"), &number.to_string()).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut seen = Vec::new();
    for watcher in watchers {
        seen.push(watcher.await.unwrap());
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]));
    // Writes that were under way together may share a revision, but never two of one writer.
    assert!(seen[0].windows(2).all(|two| two[0].rev < two[1].rev));
    let mut versions = BTreeMap::new();
    for batch in &seen[0] {
        for event in &batch.events {
            let Event::Put(kv) = event else { panic!() };
            let version = versions.entry(kv.key.clone()).or_insert(0_u64);
            assert_eq!(kv.value.as_bytes(), version.to_string().as_bytes());
            *version += 1;
            assert_eq!((kv.version, kv.mod_rev), (*version, batch.rev));
            let key = std::slice::from_ref(&kv.key);
            let (rows, _) = store.get(key, Some(batch.rev)).await.unwrap();
            assert_eq!(rows[0].as_ref(), Some(kv));
        }
    }
    assert_eq!(versions.into_values().collect::<Vec<_>>(), [WRITES; WRITERS as usize]);
}

/// Closing ends open watches with an error, not with silence.
pub async fn a_watch_ends_when_the_store_closes(open: &Open) {
    let store = open(still());
    let mut watch = store.watch("/".into(), Rev::ZERO);
    put(&*store, "/a", "v").await;
    delete(&*store, "/a").await;
    assert_eq!(rev(&*store).await, Rev(2));
    assert_eq!(next(&mut watch).await.unwrap().rev, Rev(1));
    assert_eq!(next(&mut watch).await.unwrap().rev, Rev(2));
    let waiting = tokio::spawn(async move { next(&mut watch).await });
    store.close().await.unwrap();
    let answer = waiting.await.unwrap();
    assert!(matches!(answer, Err(StoreError::Closed)), "{answer:?}");
}
