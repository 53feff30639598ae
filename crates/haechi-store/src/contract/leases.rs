//! Leases: expiry, fencing.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::sleep;

use super::{Kind, Open, TestClock, put, rev, row, still, text};
use crate::{Cond, Event, LeaseId, Op, Options, Range, Rev, Store, StoreError, TxnError};

const TTL: Duration = Duration::from_secs(10);
const ALMOST: Duration = Duration::from_millis(9_999);
const TICK: Duration = Duration::from_millis(1);
/// Almost, when the time is real: far enough from the end that a busy machine does not miss it.
const ALMOST_REAL: Duration = Duration::from_secs(3);
/// Looks until a lease has ended by itself; each waits a tenth of a second.
const LOOKS: usize = 600;

/// The time that leases of an engine end by.
struct Time(Kind, TestClock);

impl Time {
    fn new(kind: Kind) -> Self {
        Self(kind, TestClock::default())
    }

    fn options(&self) -> Options {
        self.1.options()
    }

    /// Less than a time to live.
    async fn almost(&self) {
        match self.0 {
            Kind::Embedded => self.1.advance(ALMOST),
            Kind::Distributed => sleep(ALMOST_REAL).await,
        }
    }

    /// The rest of `lease`'s time to live: `rest`, unless the time is real.
    async fn over(&self, rest: Duration, store: &dyn Store, lease: LeaseId) {
        if self.0 == Kind::Embedded {
            return self.1.advance(rest);
        }
        for _ in 0..LOOKS {
            match store.txn(&[Cond::Held(lease)], Vec::new()).await {
                Ok(_) => sleep(Duration::from_millis(100)).await,
                Err(TxnError::Conflict(_)) => return,
                Err(TxnError::Store(error)) => panic!("{error}"),
            }
        }
        panic!("lease {lease} does not end");
    }
}

/// Until `ttl` has passed the row is there; then it is gone for reads, ranges and preconditions.
pub async fn a_leased_row_vanishes_when_its_time_has_come(open: &Open, kind: Kind) {
    let time = Time::new(kind);
    let store = open(time.options());
    let lease = store.lease(TTL).await.unwrap();
    assert_eq!(lease.ttl, TTL);
    assert!(lease.token() > Rev::ZERO && lease.token() <= rev(&*store).await);
    store.txn(&[], vec![Op::put_leased("/l", "v", lease.id)]).await.unwrap();
    put(&*store, "/stays", "v").await;
    assert_eq!(row(&*store, "/l").await.unwrap().lease, Some(lease.id));
    time.almost().await;
    assert!(row(&*store, "/l").await.is_some());
    let mut watch = store.watch("/l".into(), Rev::ZERO);
    time.over(TICK, &*store, lease.id).await;
    assert!(row(&*store, "/l").await.is_none());
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 1);
    store.txn(&[Cond::Absent("/l".into())], vec![]).await.unwrap();
    let batch = watch.next().await.unwrap().unwrap();
    assert_eq!(batch.events, [Event::Delete { key: "/l".into() }]);
}

/// Keep-alive counts from now, not from the old end; `expire` alone ends what is due.
pub async fn keeping_a_lease_alive_starts_its_time_anew(open: &Open, kind: Kind) {
    let time = Time::new(kind);
    let store = open(time.options());
    let lease = store.lease(TTL).await.unwrap();
    store.txn(&[], vec![Op::put_leased("/l", "v", lease.id)]).await.unwrap();
    for _ in 0..3 {
        time.almost().await;
        store.keep_alive(lease.id).await.unwrap();
    }
    time.almost().await;
    store.expire().await.unwrap();
    assert!(row(&*store, "/l").await.is_some());
    let mut watch = store.watch("/l".into(), Rev::ZERO);
    time.over(TICK, &*store, lease.id).await;
    store.expire().await.unwrap();
    let batch = watch.next().await.unwrap().unwrap();
    assert_eq!(batch.events, [Event::Delete { key: "/l".into() }]);
    let answer = store.keep_alive(lease.id).await;
    assert!(matches!(answer, Err(StoreError::LeaseNotFound { .. })), "{answer:?}");
}

/// Revoking is one revision for all rows; afterwards the lease is unknown.
pub async fn revoking_removes_the_rows_in_one_revision(open: &Open, _: Kind) {
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
pub async fn an_ended_lease_cannot_write(open: &Open, kind: Kind) {
    let time = Time::new(kind);
    let store = open(time.options());
    let lease = store.lease(TTL).await.unwrap();
    time.over(TTL, &*store, lease.id).await;
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
pub async fn a_late_holder_is_fenced(open: &Open, kind: Kind) {
    let time = Time::new(kind);
    let store = open(time.options());
    let claim = async |lease: LeaseId| {
        store
            .txn(&[Cond::Absent("/leader".into())], vec![Op::put_leased("/leader", "me", lease)])
            .await
    };
    let first = store.lease(TTL).await.unwrap();
    claim(first.id).await.unwrap();
    let second = store.lease(TTL * 3).await.unwrap();
    assert!(matches!(claim(second.id).await, Err(TxnError::Conflict(_))));
    time.over(TTL, &*store, first.id).await;
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
pub async fn a_row_rewritten_without_its_lease_stays(open: &Open, _: Kind) {
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
    // An engine may keep a row of its own for each lease.
    assert!(rev(&*store).await <= at.next(), "it had no rows left");
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 3);
    store.revoke(other.id).await.unwrap();
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 2);
}

/// Every grant has a higher token than those before it, also after revocations.
pub async fn tokens_rise_with_every_grant(open: &Open, _: Kind) {
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
pub async fn a_lease_needs_a_time_to_live(open: &Open, _: Kind) {
    let store = open(still());
    let answer = store.lease(Duration::ZERO).await;
    assert!(matches!(answer, Err(StoreError::LeaseTtl)), "{answer:?}");
    store.lease(TICK).await.unwrap();
    let endless = store.lease(Duration::MAX).await.unwrap();
    store.expire().await.unwrap();
    store.keep_alive(endless.id).await.unwrap();
}
