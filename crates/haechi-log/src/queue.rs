//! What waits to be written: appenders at one end, the writer thread at the other.
//!
//! A record is copied at once into the payload of the frame that it will be in, so that no memory
//! goes from thread to thread. All records of a frame have one answer: the writer wakes one appender,
//! and that one wakes the others, because waking is cheap among the tasks of one runtime and a
//! system call from outside.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use crate::{error::LogError, frame, pace::Pace, reader::Position};

/// A payload buffer larger than this is not kept for the next frame.
const SPARE_BYTES_MAX: usize = 4 << 20;

/// Frames that are under way at once where callers keep the writer busy: one is written, one filled.
const SPARES_MAX: usize = 2;

/// Frames that wait.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    frame_bytes: usize,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Frame>,
    /// Buffers of earlier frames, to be filled again: one while a frame is written, else two.
    spares: Vec<Vec<u8>>,
    /// The writer sleeps and wants to be woken.
    writer_sleeps: bool,
    pace: Pace,
    is_closed: bool,
}

/// The records of one frame. Dropped without an answer (the writer panicked) it answers
/// [`LogError::Closed`].
pub(crate) struct Frame {
    pub(crate) payload: Vec<u8>,
    records: u32,
    answer: Arc<Answer>,
}

/// What becomes of a frame, and who waits for it.
#[derive(Default)]
struct Answer(Mutex<Answered>);

#[derive(Default)]
struct Answered {
    /// The frame's sequence number, once it is on the disk.
    outcome: Option<Result<u64, LogError>>,
    /// By the index of their records.
    wakers: Vec<Option<Waker>>,
}

/// A record on its way to the disk.
pub(crate) struct Written {
    answer: Arc<Answer>,
    index: u32,
}

/// What the writer finds.
pub(crate) enum Next {
    Frame(Frame),
    /// Nothing for so long.
    Nothing,
    Closed,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// A frame takes no further record once it holds `frame_bytes`.
    pub(crate) fn new(frame_bytes: usize, pace: Pace) -> Queue {
        let state = Mutex::new(State { pace, ..State::default() });
        Queue { state, arrived: Condvar::new(), frame_bytes }
    }

    /// Puts records in, all into one frame; the future ends when they are on the disk, or are not
    /// going to be, and answers where the last one stands.
    pub(crate) fn push(&self, records: &[Vec<u8>]) -> Result<Written, LogError> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(LogError::Closed);
        }
        if state.frames.back().is_none_or(|frame| frame.payload.len() >= self.frame_bytes) {
            let payload = state.spares.pop().unwrap_or_default();
            state.frames.push_back(Frame { payload, records: 0, answer: Arc::default() });
        }
        let Some(frame) = state.frames.back_mut() else { return Err(LogError::Closed) };
        for record in records {
            frame::push_record(&mut frame.payload, record);
            frame.records += 1;
        }
        let count = frame.records;
        let written = Written { answer: Arc::clone(&frame.answer), index: count.saturating_sub(1) };
        let wakes = std::mem::take(&mut state.writer_sleeps);
        let offers = state.pace.offers(count);
        drop(state);
        if wakes {
            self.arrived.notify_one();
        }
        if offers {
            thread::yield_now();
        }
        Ok(written)
    }

    /// The next frame, once there is one. Callers that could run now are about to append: a sync
    /// takes as much CPU time as tens of records, so it pays to let them go first. Where nobody else
    /// wants the core yielding returns at once and brings nothing, so that a lone caller waits for
    /// nobody. On one core not all are let go first: see [`Pace`].
    pub(crate) fn next(&self, patience: Duration) -> Next {
        let mut state = lock(&self.state);
        while state.frames.is_empty() {
            if state.is_closed {
                return Next::Closed;
            }
            state.writer_sleeps = true;
            let (woken, timeout) =
                self.arrived.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.writer_sleeps = false;
            if timeout.timed_out() && state.frames.is_empty() && !state.is_closed {
                return Next::Nothing;
            }
        }
        let size = |state: &State| {
            state.frames.front().map_or((0, 0), |frame| (frame.payload.len(), frame.records))
        };
        let mut before = (0, 0);
        loop {
            let (bytes, records) = size(&state);
            let is_dry = (bytes, records) == before;
            if is_dry || bytes >= self.frame_bytes || state.pace.is_reached(records) {
                state.pace.begin(records);
                return state.frames.pop_front().map_or(Next::Nothing, Next::Frame);
            }
            before = (bytes, records);
            drop(state);
            thread::yield_now();
            state = lock(&self.state);
        }
    }

    /// A frame is answered: takes its payload's buffer back.
    pub(crate) fn give_back(&self, mut payload: Vec<u8>) {
        payload.clear();
        let mut state = lock(&self.state);
        state.pace.end();
        if payload.capacity() <= SPARE_BYTES_MAX && state.spares.len() < SPARES_MAX {
            state.spares.push(payload);
        }
    }

    /// Takes no further record; what waits is still written.
    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.arrived.notify_one();
    }

    /// Closes and gives up what waits: nobody is there to write it.
    pub(crate) fn abandon(&self) {
        self.close();
        let abandoned = std::mem::take(&mut lock(&self.state).frames);
        drop(abandoned);
    }
}

impl Frame {
    /// Tells all who wait; answers the payload's buffer.
    pub(crate) fn answer(mut self, outcome: Result<u64, LogError>) -> Vec<u8> {
        self.answer.finish(outcome);
        std::mem::take(&mut self.payload)
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.answer.finish(Err(LogError::Closed));
    }
}

impl Answer {
    /// The first outcome stays. Wakes one who waits, who wakes the others.
    fn finish(&self, outcome: Result<u64, LogError>) {
        let mut answered = lock(&self.0);
        if answered.outcome.is_some() {
            return;
        }
        answered.outcome = Some(outcome);
        let first = answered.wakers.iter_mut().find_map(Option::take);
        drop(answered);
        if let Some(first) = first {
            first.wake();
        }
    }
}

impl Answered {
    /// Whoever finds the outcome wakes all who do not know it yet.
    fn others(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_iter().flatten()
    }
}

impl Future for Written {
    type Output = Result<Position, LogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answered = lock(&self.answer.0);
        if let Some(outcome) = answered.outcome.clone() {
            let others = answered.others();
            drop(answered);
            others.for_each(Waker::wake);
            let index = self.index;
            return Poll::Ready(outcome.map(|frame| Position { frame, index }));
        }
        let place = usize::try_from(self.index).unwrap_or(usize::MAX);
        if answered.wakers.len() <= place {
            answered.wakers.resize(place + 1, None);
        }
        if let Some(waker) = answered.wakers.get_mut(place) {
            *waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Written {
    /// One who stops waiting may be the one who was to wake the others.
    fn drop(&mut self) {
        let mut answered = lock(&self.answer.0);
        let place = usize::try_from(self.index).unwrap_or(usize::MAX);
        let own = answered.wakers.get_mut(place).and_then(Option::take);
        let others = answered.outcome.is_some().then(|| answered.others());
        drop(answered);
        drop(own);
        others.into_iter().flatten().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests;
