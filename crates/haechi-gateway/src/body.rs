//! Reads a request's body, bounded in size and time, into memory that is wiped.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use haechi_wire::{Fault, SecretBlob};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;

/// A body up to this size takes no share of the room that all bodies together may take up.
const SMALL: usize = 8 * 1024;

/// A body that is too large is read and thrown away up to this size, so that a client that only
/// reads after it has written gets its answer.
const DISCARD_MAX: u64 = 16 << 20;

/// A whole body.
pub(crate) struct Received {
    pub(crate) bytes: SecretBlob,
    room: Option<OwnedSemaphorePermit>,
}

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// To be answered.
    Fault(Fault),
    /// The client went away or was too slow.
    Gone,
}

/// The whole body, of `bytes_max` bytes at the most. `room` has a permit for each KiB that large
/// bodies may take up at once; `waits` says that the client sends nothing before it is told to (`Expect: 100-continue`).
pub(crate) async fn read(
    mut body: Incoming,
    limits: &Limits,
    bytes_max: usize,
    room: &Arc<Semaphore>,
    waits: bool,
) -> Result<Received, BodyError> {
    let declared = body.size_hint().lower();
    let reading = async {
        let read = if declared > bytes_max as u64 {
            Err(too_large(bytes_max))
        } else {
            collect(&mut body, bytes_max, room).await
        };
        if matches!(read, Err(BodyError::Fault(_))) && declared <= DISCARD_MAX && !waits {
            discard(&mut body).await;
        }
        read
    };
    let mut reading = pin!(reading);
    // Mostly all of it has come with the head, and no time needs to be taken.
    if let Poll::Ready(read) = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        return read;
    }
    tokio::time::timeout(limits.body_timeout, reading).await.unwrap_or(Err(BodyError::Gone))
}

fn too_large(limit_bytes: usize) -> BodyError {
    BodyError::Fault(Fault::TooLarge { limit_bytes })
}

async fn collect(
    body: &mut Incoming,
    bytes_max: usize,
    room: &Arc<Semaphore>,
) -> Result<Received, BodyError> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    // Not all that is announced at once: memory goes to those who send.
    let bytes = SecretBlob(Vec::with_capacity(declared.min(SMALL)));
    let mut received = Received { bytes, room: None };
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(BodyError::Gone) };
        let Some(data) = frame.data_ref() else { continue };
        if received.bytes.0.len() + data.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        received.append(data, room)?;
    }
    Ok(received)
}

async fn discard(body: &mut Incoming) {
    let mut left = DISCARD_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

impl Received {
    fn append(&mut self, data: &[u8], room: &Arc<Semaphore>) -> Result<(), BodyError> {
        let needed = self.bytes.0.len() + data.len();
        if needed > self.bytes.0.capacity() {
            let capacity = (self.bytes.0.capacity() * 2).max(needed);
            self.take_room(capacity, room)?;
            // Growing in place would leave a copy behind: move by hand, wipe the old.
            let mut larger = SecretBlob(Vec::with_capacity(capacity));
            larger.0.extend_from_slice(&self.bytes.0);
            self.bytes = larger;
        }
        self.bytes.0.extend_from_slice(data);
        Ok(())
    }

    fn take_room(&mut self, capacity: usize, room: &Arc<Semaphore>) -> Result<(), BodyError> {
        if capacity <= SMALL {
            return Ok(());
        }
        let taken = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(capacity.div_ceil(1024).saturating_sub(taken)).unwrap_or(u32::MAX);
        let permit = Arc::clone(room)
            .try_acquire_many_owned(more)
            .map_err(|_| BodyError::Fault(Fault::Throttled))?;
        match &mut self.room {
            Some(room) => room.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}
