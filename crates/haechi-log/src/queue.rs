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
    time::{Duration, Instant},
};

use crate::{error::LogError, frame, idle::Idle, reader::Position};

/// A payload buffer larger than this is not kept for the next frame.
const SPARE_BYTES_MAX: usize = 4 << 20;

/// The longest pause between two frames, as a multiple of the time that the last one took.
const PAUSE: u32 = 3;

/// The longest pause, whatever the disk takes.
const PAUSE_MAX: Duration = Duration::from_millis(5);

/// Frames that wait.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    frame_bytes: usize,
    idle: Idle,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Frame>,
    /// The buffer of the frame before last, to be filled again.
    spare: Vec<u8>,
    /// The writer sleeps and wants to be woken by the first record.
    writer_sleeps: bool,
    /// The writer waits for more records.
    writer_pauses: bool,
    /// When the writer took the last frame.
    taken: Option<Instant>,
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
    pub(crate) fn new(frame_bytes: usize, idle: Idle) -> Queue {
        Queue { state: Mutex::default(), arrived: Condvar::new(), frame_bytes, idle }
    }

    /// Puts records in, all into one frame; the future ends when they are on the disk, or are not
    /// going to be, and answers where the last one stands.
    pub(crate) fn push(&self, records: &[Vec<u8>]) -> Result<Written, LogError> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(LogError::Closed);
        }
        if state.frames.back().is_none_or(|frame| frame.payload.len() >= self.frame_bytes) {
            let payload = std::mem::take(&mut state.spare);
            state.frames.push_back(Frame { payload, records: 0, answer: Arc::default() });
        }
        let Some(frame) = state.frames.back_mut() else { return Err(LogError::Closed) };
        for record in records {
            frame::push_record(&mut frame.payload, record);
            frame.records += 1;
        }
        let is_full = frame.payload.len() >= self.frame_bytes;
        let index = frame.records.saturating_sub(1);
        let written = Written { answer: Arc::clone(&frame.answer), index };
        let is_awaited = std::mem::take(&mut state.writer_sleeps)
            || (is_full && std::mem::take(&mut state.writer_pauses));
        if is_awaited {
            drop(state);
            self.arrived.notify_one();
        }
        Ok(written)
    }

    /// The next frame, once there is one and it has waited for more records as long as it pays
    /// ([`Pace`]).
    pub(crate) fn next(&self, patience: Duration) -> Next {
        let mut state = lock(&self.state);
        let now = Instant::now();
        let took = state.taken.take().map_or(Duration::ZERO, |taken| now - taken);
        let until = now + state.pace.pause(took, self.idle.total());
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
        state = self.pause(state, until);
        state.taken = Some(Instant::now());
        state.frames.pop_front().map_or(Next::Nothing, Next::Frame)
    }

    /// Waits until then for records, no longer than until the frame is full.
    fn pause<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        let is_full = |frame: &Frame| frame.payload.len() >= self.frame_bytes;
        state.writer_pauses = !state.is_closed && !state.frames.front().is_some_and(is_full);
        while state.writer_pauses {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.arrived.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.writer_pauses = false;
        state
    }

    /// Takes a payload's buffer back.
    pub(crate) fn give_back(&self, mut payload: Vec<u8>) {
        payload.clear();
        if payload.capacity() <= SPARE_BYTES_MAX {
            lock(&self.state).spare = payload;
        }
    }

    /// Takes no further record; what waits is still written.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.writer_pauses = false;
        drop(state);
        self.arrived.notify_one();
    }

    /// Closes and gives up what waits: nobody is there to write it.
    pub(crate) fn abandon(&self) {
        self.close();
        let abandoned = std::mem::take(&mut lock(&self.state).frames);
        drop(abandoned);
    }
}

/// How long the writer lets records gather between two frames. A sync takes as much CPU time as tens
/// of records, so while the runtime has no idle moment the pause grows, with each frame; and it
/// shrinks by what the runtime idled, since then callers wait for nothing else. So a lone caller
/// waits for nobody, and on a busy core some callers are served while others wait for the disk.
#[derive(Default)]
struct Pace {
    pause: Duration,
    /// How long the runtime had been idle at the frame before.
    idled: Duration,
}

impl Pace {
    /// The pause after a frame that took so long, when the runtime has idled so long in all.
    fn pause(&mut self, took: Duration, idled: Duration) -> Duration {
        let idle = idled.saturating_sub(std::mem::replace(&mut self.idled, idled));
        // A runtime that never slept is none that tells.
        self.pause = if idled.is_zero() || !idle.is_zero() {
            self.pause.saturating_sub(idle)
        } else {
            (self.pause + took / 4).min(took * PAUSE).min(PAUSE_MAX)
        };
        self.pause
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
