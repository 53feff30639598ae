//! Reading records from the newest to the oldest: what looks for recent calls reads only those.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cipher::FrameCipher;
use crate::error::LogError;
use crate::reader::{Position, Record};
use crate::scan::{Scan, Step};
use crate::segment::{self, Segment};

/// Iterates over the records of a log from the newest to the oldest. Reads one frame at a time;
/// of the frames of a segment it first reads the headers, to learn where each begins.
///
/// It checks each frame's own hash and seal, but not the chain between frames: that is what
/// [`crate::verify`] is for.
pub struct Backward {
    directory: PathBuf,
    cipher: Arc<dyn FrameCipher>,
    /// Segments not yet begun; the next one is last.
    segments: Vec<Segment>,
    /// The segment at hand and where its frames begin; the next one is last.
    current: Option<(Scan, Vec<u64>)>,
    /// Records of the frame at hand; the next one is last.
    ready: Vec<Record>,
    before: Position,
}

impl Backward {
    /// Starts at the record before `before`; at the newest where it is None. Segments that ended
    /// before `since_ms` (Unix milliseconds) are left out, and segments that began after
    /// `until_ms`; within the others the caller looks at the records' own times.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn new(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        before: Option<Position>,
        since_ms: u64,
        until_ms: u64,
    ) -> Result<Self, LogError> {
        let before = before.unwrap_or(Position { frame: u64::MAX, index: u32::MAX });
        let (mut segments, _) = segment::list(directory)?;
        // A segment ends where the next one begins.
        let ends: Vec<u64> = segments.iter().skip(1).map(|next| next.start).collect();
        let mut ends = ends.into_iter();
        segments.retain(|segment| {
            let end = ends.next().unwrap_or(u64::MAX);
            end >= since_ms && segment.start <= until_ms && segment.first <= before.frame
        });
        let directory = directory.to_owned();
        Ok(Self { directory, cipher, segments, current: None, ready: Vec::new(), before })
    }

    /// The next older record, or None if there is none.
    ///
    /// # Errors
    /// [`LogError::Tampered`] or [`LogError::Io`].
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<Record>, LogError> {
        loop {
            if let Some(record) = self.ready.pop() {
                if record.position < self.before {
                    return Ok(Some(record));
                }
                continue;
            }
            let Some((scan, offsets)) = &mut self.current else {
                let Some(segment) = self.segments.pop() else { return Ok(None) };
                let mut scan = Scan::open(&self.directory, segment)?;
                let offsets = scan.offsets()?;
                self.current = Some((scan, offsets));
                continue;
            };
            let Some(offset) = offsets.pop() else {
                self.current = None;
                continue;
            };
            scan.offset = offset;
            match scan.step()? {
                Step::Frame(frame) if frame.header.sequence <= self.before.frame => {
                    let sequence = frame.header.sequence;
                    let tampered = |damage| LogError::Tampered {
                        segment: scan.segment.name(),
                        frame: sequence,
                        damage,
                    };
                    let records = frame.records(&*self.cipher, &scan.segment).map_err(tampered)?;
                    self.ready.extend((0..).zip(records).map(|(index, bytes)| Record {
                        position: Position { frame: sequence, index },
                        bytes,
                    }));
                }
                // One that came after the start, or that is being written just now.
                Step::Frame(_) | Step::End | Step::Torn => {}
                Step::Damaged { sequence, damage, .. } => {
                    let frame = sequence.unwrap_or(scan.segment.first);
                    return Err(LogError::Tampered { segment: scan.segment.name(), frame, damage });
                }
            }
        }
    }
}
