//! Reading: rows and ranges at one revision.
//!
//! All reads are linearizable, those of a past revision too: a member that lags waits until it has
//! caught up instead of calling the revision one of the future.

use bytes::Bytes;
use haechi_store::{Key, Kv, Page, Range, Rev, StoreError};

use crate::{
    client::path,
    fault::{Fault, Kind},
    layout::Epoch,
    message::{
        RangeRequest, RangeResponse, Request, Response, Row, TxnRequest, TxnResponse,
        WatchCreateRequest, WatchRequest, WatchResponse,
    },
    store::Shared,
};

/// Most rows that are asked of etcd at once: it answers a range in one message, however large.
const ROWS_AT_ONCE: usize = 1000;
/// Most keys that are asked of etcd at once; it takes 128 operations.
const KEYS_AT_ONCE: usize = 100;

impl Shared {
    pub(crate) async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        let epoch = self.open()?;
        let revision = self.revision(&epoch, at)?;
        let named: Vec<Bytes> = keys.iter().map(|key| self.layout.row(&epoch, key)).collect();
        let answer = if named.is_empty() {
            self.rows(&[self.layout.master()], revision).await.map(|(_, now)| (Vec::new(), now))
        } else {
            self.rows(&named, revision).await
        };
        let (rows, now) = match answer {
            Ok(answer) => answer,
            Err(fault) => return Err(self.unreadable(&epoch, at, fault).await),
        };
        self.within_history(&epoch, at, now)?;
        let kvs = rows.iter().map(|row| row.as_ref().map(|row| self.layout.kv(&epoch, row)));
        Ok((kvs.collect(), at.unwrap_or(epoch.rev(now))))
    }

    pub(crate) async fn page(
        &self,
        range: &Range,
        limit: usize,
        at: Option<Rev>,
    ) -> Result<Page, StoreError> {
        let epoch = self.open()?;
        if range.is_empty() {
            let rev = self.get(&[], at).await?.1;
            return Ok(Page { kvs: Vec::new(), more: false, rev });
        }
        let mut revision = self.revision(&epoch, at)?;
        let (start, end) = self.layout.range(&epoch, range);
        let mut page = Page { kvs: Vec::new(), more: true, rev: at.unwrap_or_default() };
        let mut start = start;
        while page.more && page.kvs.len() < limit {
            let rows = (limit - page.kvs.len()).min(ROWS_AT_ONCE);
            let (answer, now) = match self.part(start, end.clone(), rows, revision).await {
                Ok(answer) => answer,
                Err(fault) => return Err(self.unreadable(&epoch, at, fault).await),
            };
            self.within_history(&epoch, at, now)?;
            if revision == 0 {
                (revision, page.rev) = (now, epoch.rev(now));
            }
            page.more = answer.more;
            start = answer.rows.last().map_or_else(Bytes::new, |row| after(&row.key));
            page.kvs.extend(answer.rows.iter().map(|row| self.layout.kv(&epoch, row)));
        }
        Ok(page)
    }

    /// Up to `limit` rows between two of etcd's keys, and etcd's newest revision. `revision` 0 is
    /// the newest.
    pub(crate) async fn part(
        &self,
        key: Bytes,
        range_end: Bytes,
        limit: usize,
        revision: i64,
    ) -> Result<(RangeResponse, i64), Fault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let request = RangeRequest { key, range_end, limit, revision, keys_only: false };
        let answer = self.client.call::<_, RangeResponse>(path::RANGE, request).await?.message;
        let now = answer.header.unwrap_or_default().revision;
        Ok((answer, now))
    }

    /// The rows of etcd's keys, all at one revision, and etcd's newest revision, or, if there were
    /// too many for one request, that which they were read at.
    pub(crate) async fn rows(
        &self,
        keys: &[Bytes],
        revision: i64,
    ) -> Result<(Vec<Option<Row>>, i64), Fault> {
        if let [key] = keys {
            let (answer, now) = self.part(key.clone(), Bytes::new(), 1, revision).await?;
            return Ok((vec![answer.rows.into_iter().next()], now));
        }
        let (mut rows, mut at, mut now) = (Vec::with_capacity(keys.len()), revision, 0);
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let read = |key: &Bytes| {
                let key = key.clone();
                Request::Range(RangeRequest { key, revision: at, ..RangeRequest::default() }).into()
            };
            let success = keys.iter().map(read).collect();
            let request = TxnRequest { success, ..TxnRequest::default() };
            let answer = self.client.call::<_, TxnResponse>(path::TXN, request).await?.message;
            if now == 0 {
                now = answer.header.unwrap_or_default().revision;
            }
            if at == 0 {
                at = now;
            }
            rows.extend(answer.responses.into_iter().map(|response| match response.response {
                Some(Response::Range(range)) => range.rows.into_iter().next(),
                _ => None,
            }));
        }
        Ok((rows, now))
    }

    /// etcd's revision to read at; 0 is the newest.
    fn revision(&self, epoch: &Epoch, at: Option<Rev>) -> Result<i64, StoreError> {
        let Some(asked) = at else { return Ok(0) };
        epoch.revision(asked).ok_or(StoreError::Compacted { asked, oldest: Rev(epoch.first) })
    }

    /// Refuses what is older than the history that every engine keeps, though etcd may have it yet:
    /// what works here must work there.
    pub(crate) fn within_history(
        &self,
        epoch: &Epoch,
        at: Option<Rev>,
        now: i64,
    ) -> Result<(), StoreError> {
        let oldest = self.oldest(epoch, now);
        match at.filter(|asked| *asked < oldest) {
            Some(asked) => Err(StoreError::Compacted { asked, oldest }),
            None => Ok(()),
        }
    }

    /// The oldest revision that the history holds when etcd is at `now`.
    pub(crate) fn oldest(&self, epoch: &Epoch, now: i64) -> Rev {
        let history = self.client.settings().options.history;
        Rev(epoch.rev(now).0.saturating_sub(history).max(epoch.first))
    }

    /// Why a read at `at` failed.
    async fn unreadable(&self, epoch: &Epoch, at: Option<Rev>, fault: Fault) -> StoreError {
        match (fault.kind, at) {
            (Kind::Compacted, Some(asked)) => match self.compacted(epoch).await {
                Ok(oldest) => StoreError::Compacted { asked, oldest },
                Err(fault) => fault.into_error(),
            },
            (Kind::Future, Some(asked)) => match self.rows(&[self.layout.master()], 0).await {
                Ok((_, now)) => StoreError::Future { asked, current: epoch.rev(now) },
                Err(fault) => fault.into_error(),
            },
            _ => fault.into_error(),
        }
    }

    /// The oldest revision that etcd has. It says so only to those who watch from before it.
    async fn compacted(&self, epoch: &Epoch) -> Result<Rev, Fault> {
        let request = WatchRequest {
            create: Some(WatchCreateRequest {
                key: self.layout.master(),
                start_revision: 1,
                ..WatchCreateRequest::default()
            }),
        };
        let (mut stream, index) =
            self.client.stream::<_, WatchResponse>(path::WATCH, request).await?;
        let limit = self.client.settings().attempt_timeout;
        let answers = async {
            while let Some(answer) = stream.message().await? {
                if answer.compact_revision > 0 {
                    return Ok(answer.compact_revision);
                }
                // Neither the answer to the request nor a refusal: the history is whole.
                if !answer.created {
                    return Ok(1);
                }
            }
            Ok(1)
        };
        match tokio::time::timeout(limit, answers).await {
            Ok(Ok(revision)) => Ok(epoch.rev(revision)),
            Ok(Err(status)) => Err(self.client.failed(index, &status)),
            Err(_) => Ok(epoch.rev(1)),
        }
    }
}

/// The smallest key greater than this one.
pub(crate) fn after(key: &Bytes) -> Bytes {
    Bytes::copy_from_slice(Key::new(key.clone()).successor().as_bytes())
}
