//! The log's limits.

use std::{fmt, sync::Arc, time::Duration};

/// Tells the time in Unix milliseconds; supplied by the caller, so that tests can move it.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Limits of a log.
#[derive(Clone)]
pub struct Options {
    /// A segment that has grown beyond this many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// A segment that is older is followed by a new one.
    pub segment_age: Duration,
    /// Records that may wait to be written; more wait in `append`.
    pub queue_records: usize,
    /// A frame takes no further record once it holds this many bytes.
    pub frame_bytes: usize,
    /// The largest record, in bytes.
    pub record_bytes: usize,
    /// How often a failed log is tried again.
    pub retry: Duration,
    /// The time, for segment names and ages.
    pub clock: Clock,
}

impl Options {
    /// 32 MiB or a day per segment, 8,192 waiting records, frames of about 1 MiB, records of
    /// 1 MiB, a retry each second.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            segment_bytes: 32 << 20,
            segment_age: Duration::from_secs(86_400),
            queue_records: 8192,
            frame_bytes: 1 << 20,
            record_bytes: 1 << 20,
            retry: Duration::from_secs(1),
            clock,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("segment_bytes", &self.segment_bytes)
            .field("segment_age", &self.segment_age)
            .field("queue_records", &self.queue_records)
            .field("frame_bytes", &self.frame_bytes)
            .field("record_bytes", &self.record_bytes)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
