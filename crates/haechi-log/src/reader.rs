//! Reading records, also while a writer is at work.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cipher::FrameCipher,
    error::{Damage, LogError},
    frame::ChainHead,
    scan::{Frame, Scan, Step},
    segment::{self, Segment},
};

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Its frame's sequence number; the first is 1.
    pub frame: u64,
    /// Its place in the frame; the first is 0.
    pub index: u32,
}

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// Its bytes, as appended.
    pub bytes: Vec<u8>,
}

/// Iterates over the records of a log, across segments. At the end it answers `None` for now; ask
/// again later for what has been appended since (`tail -f`).
pub struct Reader {
    directory: PathBuf,
    cipher: Arc<dyn FrameCipher>,
    scan: Option<Scan>,
    /// The frame read last; its hash is None before the first.
    last: u64,
    last_hash: Option<[u8; 32]>,
    ready: VecDeque<Record>,
}

impl Reader {
    /// Starts at the log's first record. Reads nothing yet.
    #[must_use]
    pub fn from_start(directory: &Path, cipher: Arc<dyn FrameCipher>) -> Self {
        Self {
            directory: directory.to_owned(),
            cipher,
            scan: None,
            last: 0,
            last_hash: Some(ChainHead::EMPTY.hash),
            ready: VecDeque::new(),
        }
    }

    /// Starts at the record at `position`.
    ///
    /// # Errors
    /// [`LogError::NoSuchPosition`], or what reading finds.
    pub fn from_position(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        position: Position,
    ) -> Result<Self, LogError> {
        let missing = LogError::NoSuchPosition { frame: position.frame };
        let (segments, _) = segment::list(directory)?;
        let segment = segments.into_iter().rfind(|segment| segment.first <= position.frame);
        let mut reader = Self::within(directory, cipher, segment.ok_or_else(|| missing.clone())?)?;
        while reader.last < position.frame {
            reader.ready.clear();
            if !reader.read_frame()? {
                return Err(missing);
            }
        }
        reader.ready.retain(|record| record.position >= position);
        Ok(reader)
    }

    /// Starts behind the last record there is now.
    ///
    /// # Errors
    /// What reading the last segment finds.
    pub fn from_end(directory: &Path, cipher: Arc<dyn FrameCipher>) -> Result<Self, LogError> {
        let (segments, _) = segment::list(directory)?;
        let Some(last) = segments.into_iter().next_back() else {
            return Ok(Self::from_start(directory, cipher));
        };
        let mut reader = Self::within(directory, cipher, last)?;
        while reader.read_frame()? {
            reader.ready.clear();
        }
        Ok(reader)
    }

    fn within(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        segment: Segment,
    ) -> Result<Self, LogError> {
        let last = segment.first.saturating_sub(1);
        let scan = Some(Scan::open(directory, segment)?);
        let last_hash = (last == 0).then_some(ChainHead::EMPTY.hash);
        let directory = directory.to_owned();
        Ok(Self { directory, cipher, scan, last, last_hash, ready: VecDeque::new() })
    }

    /// The next record, or None if there is none yet.
    ///
    /// # Errors
    /// [`LogError::Tampered`], [`LogError::MissingSegment`] or [`LogError::Io`].
    #[expect(clippy::should_implement_trait, reason = "None is not the end, and it can fail")]
    pub fn next(&mut self) -> Result<Option<Record>, LogError> {
        while self.ready.is_empty() {
            if !self.read_frame()? {
                return Ok(None);
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Reads one more frame into `ready`; false if there is none yet.
    fn read_frame(&mut self) -> Result<bool, LogError> {
        loop {
            let step = match &mut self.scan {
                Some(scan) => scan.step()?,
                None => Step::End,
            };
            match step {
                Step::Frame(frame) => {
                    self.accept(&frame)?;
                    return Ok(true);
                }
                // The segment's end, or a frame being written: is there a later segment?
                Step::End | Step::Torn => {
                    if !self.advance()? {
                        return Ok(false);
                    }
                }
                Step::Damaged { sequence, damage, .. } => {
                    return Err(self.tampered(sequence.unwrap_or(self.last + 1), damage));
                }
            }
        }
    }

    fn accept(&mut self, frame: &Frame) -> Result<(), LogError> {
        let sequence = frame.header.sequence;
        let chained = self.last_hash.is_none_or(|hash| hash == frame.header.previous);
        if sequence != self.last + 1 || !chained {
            return Err(self.tampered(self.last + 1, Damage::Chain));
        }
        let records = match &self.scan {
            Some(scan) => frame.records(&*self.cipher, &scan.segment),
            None => Ok(Vec::new()),
        };
        let records = records.map_err(|damage| self.tampered(sequence, damage))?;
        self.ready.extend(
            (0..).zip(records).map(|(index, bytes)| Record {
                position: Position { frame: sequence, index },
                bytes,
            }),
        );
        self.last = sequence;
        self.last_hash = Some(frame.hash);
        Ok(())
    }

    /// Goes on to the segment that begins with the next frame; false if there is none yet.
    fn advance(&mut self) -> Result<bool, LogError> {
        let (segments, _) = segment::list(&self.directory)?;
        let current = self.scan.as_ref().map(|scan| &scan.segment);
        let next = segments.into_iter().find(|segment| current.is_none_or(|now| segment > now));
        let Some(segment) = next else { return Ok(false) };
        let expected = self.last + 1;
        if segment.first != expected {
            let (found, segment) = (segment.first, segment.name());
            return Err(LogError::MissingSegment { segment, expected, found });
        }
        self.scan = Some(Scan::open(&self.directory, segment)?);
        Ok(true)
    }

    fn tampered(&self, frame: u64, damage: Damage) -> LogError {
        let segment = self.scan.as_ref().map(|scan| scan.segment.name()).unwrap_or_default();
        LogError::Tampered { segment, frame, damage }
    }
}
