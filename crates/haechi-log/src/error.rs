//! What can go wrong with a log.

use std::{io, path::PathBuf, sync::Arc};

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The header's check value does not fit its bytes.
    #[error("its header was changed")]
    Header,
    /// The frame's hash does not fit its bytes.
    #[error("its bytes were changed")]
    Hash,
    /// It follows another frame than the one before it.
    #[error("it does not follow the frame before it: frames were removed, moved or replaced")]
    Chain,
    /// The cipher does not open it.
    #[error("its seal does not open: it was forged, or the key is another")]
    Seal,
    /// It opens, but is no list of records.
    #[error("its records are malformed")]
    Records,
    /// It ends before its length, though frames follow in a later segment.
    #[error("it was cut short")]
    Cut,
}

/// A failure of the log.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}; check space and permissions", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Its answer.
        source: Arc<io::Error>,
    },
    /// The cipher did not seal.
    #[error("cannot seal a frame; check that the keyring is open")]
    Seal,
    /// Another process writes this log.
    #[error("{} is in use by another process; stop that first", path.display())]
    Locked {
        /// The log's directory.
        path: PathBuf,
    },
    /// A frame is damaged, and not by a crash.
    #[error("segment {segment}, frame {frame}: {damage}; keep a copy and restore from backup")]
    Tampered {
        /// The segment's file name.
        segment: String,
        /// The frame's sequence number.
        frame: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// Frames are missing between two segments, or at the start.
    #[error("frame {expected} is missing: segment {segment} begins with frame {found}")]
    MissingSegment {
        /// The segment after the gap.
        segment: String,
        /// The frame that should be its first.
        expected: u64,
        /// The one that is.
        found: u64,
    },
    /// The record is larger than a record may be.
    #[error("a record of {bytes} bytes is larger than the limit of {limit}")]
    RecordTooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// No such record.
    #[error("the log has no frame {frame}")]
    NoSuchPosition {
        /// The frame asked for.
        frame: u64,
    },
    /// The writer has stopped.
    #[error("the log is closed")]
    Closed,
}

impl LogError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { action, path: path.into(), source: Arc::new(source) }
    }
}
