//! Leases: expiry by the injected clock, fencing.

use std::time::Duration;

use futures_util::StreamExt;

use super::{Open, TestClock, put, rev, row, still, text};
use crate::{Cond, Event, LeaseId, Op, Range, Rev, StoreError, TxnError};

const TTL: Duration = Duration::from_secs(10);
const ALMOST: Duration = Duration::from_millis(9_999);
const TICK: Duration = Duration::from_millis(1);

/// Until `ttl` has passed the row is there; then it is gone for reads, ranges and preconditions.
pub async fn a_leased_row_vanishes_when_its_time_has_come(open: &Open) {
    let clock = TestClock::default();
    let store = open(clock.options());
    let lease = store.lease(TTL).await.unwrap();
    assert_eq!((lease.ttl, lease.token()), (TTL, rev(&*store).await));
    store.txn(&[], vec![Op::put_leased("/l", "v", lease.id)]).await.unwrap();
    put(&*store, "/stays", "v").await;
    assert_eq!(row(&*store, "/l").await.unwrap().lease, Some(lease.id));
    clock.advance(ALMOST);
    assert!(row(&*store, "/l").await.is_some());
    let mut watch = store.watch("/l".into(), Rev::ZERO);
    clock.advance(TICK);
    assert!(row(&*store, "/l").await.is_none());
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 1);
    store.txn(&[Cond::Absent("/l".into())], vec![]).await.unwrap();
    let batch = watch.next().await.unwrap().unwrap();
    assert_eq!(batch.events, [Event::Delete { key: "/l".into() }]);
}

/// Keep-alive counts from now, not from the old end; `expire` alone ends what is due.
pub async fn keeping_a_lease_alive_starts_its_time_anew(open: &Open) {
    let clock = TestClock::default();
    let store = open(clock.options());
    let lease = store.lease(TTL).await.unwrap();
    store.txn(&[], vec![Op::put_leased("/l", "v", lease.id)]).await.unwrap();
    for _ in 0..3 {
        clock.advance(ALMOST);
        store.keep_alive(lease.id).await.unwrap();
    }
    clock.advance(ALMOST);
    store.expire().await.unwrap();
    assert!(row(&*store, "/l").await.is_some());
    let mut watch = store.watch("/l".into(), Rev::ZERO);
    clock.advance(TICK);
    store.expire().await.unwrap();
    let batch = watch.next().await.unwrap().unwrap();
    assert_eq!(batch.events, [Event::Delete { key: "/l".into() }]);
    let answer = store.keep_alive(lease.id).await;
    assert!(matches!(answer, Err(StoreError::LeaseNotFound { .. })), "{answer:?}");
}

/// Revoking is one revision for all rows; afterwards the lease is unknown.
pub async fn revoking_removes_the_rows_in_one_revision(open: &Open) {
    let store = open(still());
    let lease = store.lease(TTL).await.unwrap();
    let other = store.lease(TTL).await.unwrap();
    for number in 0..3 {
        store.txn(&[], vec![Op::put_leased(format!("/l/{number}"), "v", lease.id)]).await.unwrap();
    }
    let at = store.txn(&[], vec![Op::put_leased("/other", "v", other.id)]).await.unwrap();
    store.revoke(lease.id).await.unwrap();
    assert_eq!(rev(&*store).await, at.next());
    let batch = store.watch("/l/".into(), at.next()).next().await.unwrap().unwrap();
    assert_eq!((batch.rev, batch.events.len()), (at.next(), 3));
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 1);
    let answer = store.revoke(lease.id).await;
    assert!(matches!(answer, Err(StoreError::LeaseNotFound { .. })), "{answer:?}");
    assert_eq!(store.get(&["/l/0".into()], Some(at)).await.unwrap().0.len(), 1);
    assert!(text(&*store, "/l/0", Some(at)).await.is_some(), "history keeps it");
}

/// A put under a lease that ended or never was writes nothing at all.
pub async fn an_ended_lease_cannot_write(open: &Open) {
    let clock = TestClock::default();
    let store = open(clock.options());
    let lease = store.lease(TTL).await.unwrap();
    clock.advance(TTL);
    for id in [lease.id, LeaseId(Rev(999))] {
        let ops = vec![Op::put("/a", "v"), Op::put_leased("/l", "v", id)];
        let answer = store.txn(&[], ops).await;
        let Err(TxnError::Store(StoreError::LeaseNotFound { lease })) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(lease, id);
    }
    assert!(row(&*store, "/a").await.is_none());
}

/// Two holders of one role, the first one slept: its guarded write fails, the second's works.
pub async fn a_late_holder_is_fenced(open: &Open) {
    let clock = TestClock::default();
    let store = open(clock.options());
    let claim = async |lease: LeaseId| {
        store
            .txn(&[Cond::Absent("/leader".into())], vec![Op::put_leased("/leader", "me", lease)])
            .await
    };
    let first = store.lease(TTL).await.unwrap();
    claim(first.id).await.unwrap();
    let second = store.lease(TTL * 3).await.unwrap();
    assert!(matches!(claim(second.id).await, Err(TxnError::Conflict(_))));
    clock.advance(TTL);
    claim(second.id).await.unwrap();
    assert!(second.token() > first.token());
    let write = async |lease: LeaseId, value: &str| {
        store.txn(&[Cond::Held(lease)], vec![Op::put("/work", value)]).await
    };
    write(second.id, "second").await.unwrap();
    assert!(matches!(write(first.id, "first").await, Err(TxnError::Conflict(_))));
    assert_eq!(text(&*store, "/work", None).await.as_deref(), Some("second"));
}

/// A row belongs to the lease of its last write only.
pub async fn a_row_rewritten_without_its_lease_stays(open: &Open) {
    let store = open(still());
    let lease = store.lease(TTL).await.unwrap();
    let other = store.lease(TTL).await.unwrap();
    for key in ["/stays", "/moved", "/deleted"] {
        store.txn(&[], vec![Op::put_leased(key, "v", lease.id)]).await.unwrap();
    }
    put(&*store, "/stays", "v").await;
    store.txn(&[], vec![Op::put_leased("/moved", "v", other.id)]).await.unwrap();
    store.txn(&[], vec![Op::delete("/deleted")]).await.unwrap();
    let at = put(&*store, "/deleted", "again").await;
    store.revoke(lease.id).await.unwrap();
    assert_eq!(rev(&*store).await, at, "it had no rows left");
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 3);
    store.revoke(other.id).await.unwrap();
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 2);
}

/// Every grant has a higher token than those before it, also after revocations.
pub async fn tokens_rise_with_every_grant(open: &Open) {
    let store = open(still());
    let mut last = Rev::ZERO;
    for _ in 0..5 {
        let lease = store.lease(TTL).await.unwrap();
        assert!(lease.token() > last);
        last = lease.token();
        store.revoke(lease.id).await.unwrap();
    }
}

/// No lease that is over before it is granted.
pub async fn a_lease_needs_a_time_to_live(open: &Open) {
    let store = open(still());
    let answer = store.lease(Duration::ZERO).await;
    assert!(matches!(answer, Err(StoreError::LeaseTtl)), "{answer:?}");
    store.lease(TICK).await.unwrap();
    let endless = store.lease(Duration::MAX).await.unwrap();
    store.expire().await.unwrap();
    store.keep_alive(endless.id).await.unwrap();
}
