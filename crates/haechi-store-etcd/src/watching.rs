//! Watches: one stream of etcd's per watch, opened anew where it broke, on another member if need be.
//!
//! etcd may cut the events of one revision into several answers; a batch goes out when it is whole.
//! A stream that broke goes on after the last whole batch, so nothing is missed and nothing is told
//! twice. Only when no member lets it go on for as long as an operation may take, the watch ends
//! with `Unavailable`: its owner must know that it sees nothing.

use std::{collections::VecDeque, sync::Arc};

use futures_util::stream::{StreamExt, unfold};
use haechi_store::{Batch, Event, Key, Range, Rev, StoreError, Watch};
use tokio::sync::watch::Receiver;
use tonic::Streaming;

use crate::{
    client::{Retry, path},
    fault::{Fault, Kind},
    layout::Epoch,
    message::{WatchCreateRequest, WatchEvent, WatchRequest, WatchResponse},
    store::Shared,
};

const DELETE: i32 = 1;

struct Follower {
    shared: Arc<Shared>,
    closed: Receiver<bool>,
    epoch: Epoch,
    prefix: Key,
    /// etcd's revision to go on from.
    next: i64,
    /// Whether it begins with whatever comes next, and nothing has come yet.
    from_now: bool,
    /// Whether a stream has stood yet: only the first may ask for what the history has lost.
    begun: bool,
    stream: Option<(Streaming<WatchResponse>, usize)>,
    /// The attempts since the stream last stood.
    retry: Option<Retry>,
    /// The batch that more events may belong to.
    open: Option<Batch>,
    ready: VecDeque<Batch>,
}

/// See [`haechi_store::Store::watch`].
pub(crate) fn watch(shared: Arc<Shared>, prefix: Key, from: Rev) -> Watch {
    let epoch = match shared.open() {
        Ok(epoch) => epoch,
        Err(error) => return one_error(error),
    };
    let from_now = from == Rev::ZERO;
    let next = if from_now {
        // What this client has seen acknowledged is past; what it has not may be told.
        shared.client.seen().max(epoch.base) + 1
    } else {
        match epoch.revision(from).filter(|revision| *revision > epoch.base) {
            Some(revision) => revision,
            None => {
                let oldest = Rev(epoch.first);
                return one_error(StoreError::Compacted { asked: from, oldest });
            }
        }
    };
    let follower = Follower {
        closed: shared.closed.subscribe(),
        shared,
        epoch,
        prefix,
        next,
        from_now,
        begun: false,
        stream: None,
        retry: None,
        open: None,
        ready: VecDeque::new(),
    };
    unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        let item = follower.step().await;
        let go_on = item.is_ok();
        Some((item, go_on.then_some(follower)))
    })
    .boxed()
}

fn one_error(error: StoreError) -> Watch {
    futures_util::stream::once(std::future::ready(Err(error))).boxed()
}

impl Follower {
    async fn step(&mut self) -> Result<Batch, StoreError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            let mut closed = self.closed.clone();
            let (shared, index) =
                (self.shared.clone(), self.stream.as_ref().map(|(_, index)| *index));
            let left = async {
                match index {
                    Some(index) => shared.client.left(index).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // An error says that the store is gone.
                _ = closed.wait_for(|closed| *closed) => return Err(StoreError::Closed),
                outcome = self.advance() => outcome?,
                // Others have found that this member does not answer: it may be silent for long.
                () = left => (self.stream, self.open) = (None, None),
            }
        }
    }

    /// Takes the next answer, or opens the stream.
    async fn advance(&mut self) -> Result<(), StoreError> {
        let Some((stream, index)) = &mut self.stream else { return self.connect().await };
        let index = *index;
        let fault = match stream.message().await {
            Ok(Some(answer)) => match self.shared.client.note(index, answer.header.as_ref()) {
                Ok(()) => return self.take(index, answer).await,
                Err(fault) => fault,
            },
            Ok(None) => self.shared.client.broken(index),
            Err(status) => self.shared.client.failed(index, &status),
        };
        self.lost(index, fault).await
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        let (key, range_end) =
            self.shared.layout.range(&self.epoch, &Range::prefix(self.prefix.clone()));
        let create =
            WatchCreateRequest { key, range_end, start_revision: self.next, fragment: true };
        let request = WatchRequest { create: Some(create) };
        let stream = self.shared.client.stream(path::WATCH, request).await;
        self.stream = Some(stream.map_err(Fault::into_error)?);
        Ok(())
    }

    /// The stream broke: another one, if there is time.
    async fn lost(&mut self, index: usize, fault: Fault) -> Result<(), StoreError> {
        self.stream = None;
        // Half a batch will come again as a whole.
        self.open = None;
        let retry = self.retry.get_or_insert_with(|| self.shared.client.retry());
        self.shared.client.wait(retry, index, fault).await.map_err(Fault::into_error)
    }

    async fn take(&mut self, index: usize, answer: WatchResponse) -> Result<(), StoreError> {
        if answer.canceled {
            return self.canceled(index, &answer).await;
        }
        let now = answer.header.unwrap_or_default().revision;
        if answer.created {
            return self.created(now);
        }
        for event in answer.events {
            self.event(event);
        }
        if !answer.fragment {
            self.finish();
        }
        Ok(())
    }

    fn created(&mut self, now: i64) -> Result<(), StoreError> {
        self.retry = None;
        let first = !std::mem::replace(&mut self.begun, true);
        let asked = self.epoch.rev(self.next);
        let oldest = self.shared.oldest(&self.epoch, now);
        if first && !self.from_now && asked <= oldest {
            return Err(StoreError::Compacted { asked, oldest });
        }
        Ok(())
    }

    async fn canceled(&mut self, index: usize, answer: &WatchResponse) -> Result<(), StoreError> {
        if answer.compact_revision > 0 {
            let oldest = answer.compact_revision;
            if self.from_now && self.next <= oldest {
                // Nothing that was asked for is lost: "now" was after it.
                self.next = oldest + 1;
                self.stream = None;
                return Ok(());
            }
            let asked = self.epoch.rev(self.next);
            return Err(StoreError::Compacted { asked, oldest: self.epoch.rev(oldest) });
        }
        let kind = if answer.cancel_reason.contains("permission denied") {
            Kind::Denied
        } else {
            Kind::Unanswered
        };
        let fault = Fault {
            kind,
            detail: answer.cancel_reason.clone(),
            ..self.shared.client.broken(index)
        };
        self.lost(index, fault).await
    }

    fn event(&mut self, event: WatchEvent) {
        let Some(row) = event.row else { return };
        let rev = self.epoch.rev(row.mod_revision);
        if self.open.as_ref().is_some_and(|batch| batch.rev != rev) {
            self.finish();
        }
        let change = if event.kind == DELETE {
            Event::Delete { key: self.shared.layout.key(&self.epoch, &row.key) }
        } else {
            Event::Put(self.shared.layout.kv(&self.epoch, &row))
        };
        let batch = self.open.get_or_insert_with(|| Batch { rev, events: Vec::new() });
        batch.events.push(change);
    }

    /// The open batch is whole.
    fn finish(&mut self) {
        if let Some(batch) = self.open.take()
            && let Some(revision) = self.epoch.revision(batch.rev)
        {
            self.next = revision + 1;
            self.from_now = false;
            self.ready.push_back(batch);
        }
    }
}
