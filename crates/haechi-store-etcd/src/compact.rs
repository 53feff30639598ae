//! Forgetting: old revisions, and slots that nobody uses any more.
//!
//! etcd keeps every revision until somebody says `compact`; one that nobody ever compacts fills up
//! and stops. Each node does it from time to time, keeping the history that every engine keeps; the
//! second one to come finds nothing to do. An export that is under way holds its revision by a row
//! that vanishes with the exporting process.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::time::sleep;

use crate::{
    client::path,
    fault::{Fault, Kind},
    layout::end_of,
    message::{
        CompactionRequest, Comparison, DeleteRangeRequest, Done, Operand, Request, Row, TxnRequest,
        TxnResponse,
    },
    store::Shared,
    txn::compare,
};

/// Most rows that are looked at in one pass.
const ROWS_MAX: usize = 1000;

/// What passes have seen: which revisions are old by the clock.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// The newest revision of long ago.
    settled: i64,
    /// The newest one at `since`.
    newest: i64,
    since: Option<Instant>,
}

impl Noted {
    /// A revision that was the newest one at least `tried` ago: no write that follows from it is tried
    /// again any more. 0 if none is known. `now` is the newest.
    fn settled(&mut self, now: i64, tried: Duration) -> i64 {
        if self.since.is_none_or(|since| since.elapsed() >= tried) {
            *self = Noted { settled: self.newest, newest: now, since: Some(Instant::now()) };
        }
        self.settled
    }
}

/// Begins to do it, until the store is closed.
pub(crate) fn start(shared: &Arc<Shared>) {
    let Some(every) = shared.client.settings().compact_every else { return };
    // Not kept alive by this: when its owner lets go of it, it is over.
    let weak = Arc::downgrade(shared);
    let mut closed = shared.closed.subscribe();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = closed.wait_for(|closed| *closed) => return,
                () = sleep(every.max(Duration::from_millis(100))) => {}
            }
            let Some(shared) = weak.upgrade() else { return };
            // The next pass does what this one could not.
            drop(shared.compact().await);
        }
    });
}

impl Shared {
    /// Forgets what is older than the history.
    pub(crate) async fn compact(&self) -> Result<(), Fault> {
        let exports = self.layout.exports();
        let end = end_of(&exports);
        let (answer, now) = self.part(exports, end, ROWS_MAX, 0).await?;
        let history = i64::try_from(self.client.settings().options.history).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(history);
        // The history alone is no measure of time: it may be of a second.
        let tried = self.client.settings().request_timeout * 2;
        let settled = self.noted.lock().map_or(0, |mut noted| noted.settled(now, tried));
        self.sweep(oldest.min(settled)).await?;
        let held = answer.rows.iter().filter_map(held).min();
        let revision = held.map_or(oldest, |held| held.min(oldest));
        if revision < 1 {
            return Ok(());
        }
        let request = CompactionRequest { revision };
        match self.client.call::<_, Done>(path::COMPACT, request).await {
            // Somebody else did it.
            Err(fault) if fault.kind == Kind::Compacted => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Removes slots that were last written before `oldest`. Their owners, if they live, begin them
    /// anew.
    async fn sweep(&self, oldest: i64) -> Result<(), Fault> {
        let slots = self.layout.slots();
        let end = end_of(&slots);
        let (answer, _) = self.part(slots, end, ROWS_MAX, 0).await?;
        for row in answer.rows.iter().filter(|row| row.mod_revision < oldest) {
            let unchanged = Operand::Mod(row.mod_revision);
            let request = TxnRequest {
                compare: vec![compare(row.key.clone(), Comparison::Equal, unchanged)],
                success: vec![delete(row.key.clone(), Bytes::new())],
                failure: Vec::new(),
            };
            self.client.call::<_, TxnResponse>(path::TXN, request).await?;
        }
        Ok(())
    }

    /// Removes this client's slots, none of which is in use any more. What is left is swept later.
    pub(crate) async fn forget_slots(&self) {
        if !self.slots.can_be_forgotten() {
            return;
        }
        let first = self.layout.slot(self.id, 0);
        let end = self.layout.slot(self.id, u64::MAX);
        let request = DeleteRangeRequest { key: first, range_end: end };
        drop(self.client.call::<_, Done>(path::DELETE_RANGE, request).await);
    }
}

fn held(row: &Row) -> Option<i64> {
    std::str::from_utf8(&row.value).ok()?.parse().ok()
}

pub(crate) fn delete(key: Bytes, range_end: Bytes) -> crate::message::RequestOp {
    Request::DeleteRange(DeleteRangeRequest { key, range_end }).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Noted;

    #[test]
    fn only_what_was_the_newest_long_ago_is_settled() {
        let (long, now) = (Duration::from_secs(3600), Duration::ZERO);
        let mut noted = Noted::default();
        assert_eq!(noted.settled(10, long), 0);
        assert_eq!(noted.settled(20_000, long), 0, "however many revisions have passed");
        assert_eq!(noted.settled(30_000, now), 10);
        assert_eq!(noted.settled(40_000, long), 10);
        assert_eq!(noted.settled(50_000, now), 30_000);
    }
}
