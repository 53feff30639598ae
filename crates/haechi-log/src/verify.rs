//! Checking a whole log, and naming all that is wrong with it.

use std::path::Path;

use crate::{
    cipher::FrameCipher,
    error::{Damage, LogError},
    frame::ChainHead,
    scan::{Scan, Step},
    segment::{self, Segment},
};

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Segments read.
    pub segments: u64,
    /// Sound frames.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// The end of the chain. Compare it with the anchored head: a tail that was cut off whole
    /// shows only there.
    pub head: ChainHead,
    /// All that is wrong; empty for a sound log.
    pub findings: Vec<Finding>,
}

/// Something wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A frame is damaged.
    Damaged {
        /// The segment's file name.
        segment: String,
        /// The frame's sequence number (what it should be, if it cannot be read).
        frame: u64,
        /// Where in the file it begins.
        offset: u64,
        /// What is wrong.
        damage: Damage,
    },
    /// Frames are missing before a segment.
    Missing {
        /// The segment after the gap.
        segment: String,
        /// The first frame that is missing.
        expected: u64,
        /// The segment's first frame.
        found: u64,
    },
    /// The last frame is unfinished: a crash, or a writer at work. The next open cuts it off.
    TornTail {
        /// The segment's file name.
        segment: String,
        /// Where the unfinished frame begins.
        offset: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// A file that does not belong here.
    UnexpectedFile {
        /// Its name.
        name: String,
    },
}

/// Reads the whole log in `directory` and reports every change that was made to it.
///
/// # Errors
/// [`LogError::Io`] if it cannot be read; damage is in the report.
pub fn verify(directory: &Path, cipher: &dyn FrameCipher) -> Result<Report, LogError> {
    let (segments, others) = segment::list(directory)?;
    let findings = others.into_iter().map(|name| Finding::UnexpectedFile { name }).collect();
    let head = ChainHead::EMPTY;
    let mut report = Report { segments: 0, frames: 0, records: 0, head, findings };
    let count = segments.len();
    for (index, segment) in segments.into_iter().enumerate() {
        verify_segment(directory, cipher, segment, index + 1 == count, &mut report)?;
    }
    Ok(report)
}

fn verify_segment(
    directory: &Path,
    cipher: &dyn FrameCipher,
    segment: Segment,
    is_last: bool,
    report: &mut Report,
) -> Result<(), LogError> {
    let name = segment.name();
    report.segments += 1;
    let expected = report.head.sequence + 1;
    if segment.first != expected {
        let (segment, found) = (name.clone(), segment.first);
        report.findings.push(Finding::Missing { segment, expected, found });
        report.head.sequence = found.saturating_sub(1);
    }
    let mut scan = Scan::open(directory, segment)?;
    loop {
        let (offset, expected) = (scan.offset, report.head.sequence + 1);
        let mut found = |frame, damage| {
            let segment = name.clone();
            report.findings.push(Finding::Damaged { segment, frame, offset, damage });
        };
        match scan.step()? {
            Step::End => return Ok(()),
            Step::Torn if is_last && scan.rest_is_blank()? => return Ok(()),
            Step::Torn if is_last => {
                let bytes = scan.rest()?;
                report.findings.push(Finding::TornTail { segment: name, offset, bytes });
                return Ok(());
            }
            Step::Torn => {
                found(expected, Damage::Cut);
                return Ok(());
            }
            Step::Damaged { sequence, damage, resume } => {
                let frame = sequence.unwrap_or(expected);
                found(frame, damage);
                // Its hash is not to be trusted, so the next frame will not chain either, unless
                // only its bytes were changed and the hash that it stores is the true one.
                match resume {
                    Some(resume) => skip(&mut scan, resume, frame, report)?,
                    None => return Ok(()),
                }
            }
            Step::Frame(frame) => {
                let chained = frame.follows(&report.head);
                if !chained {
                    found(frame.header.sequence, Damage::Chain);
                }
                match frame.records(cipher, &scan.segment) {
                    Ok(records) => {
                        report.frames += u64::from(chained);
                        report.records += records.len() as u64;
                    }
                    Err(damage) => {
                        report.findings.push(Finding::Damaged {
                            segment: name.clone(),
                            frame: frame.header.sequence,
                            offset,
                            damage,
                        });
                    }
                }
                report.head = frame.head();
            }
        }
    }
}

/// Goes on behind a damaged frame with the hash that it stores.
fn skip(scan: &mut Scan, resume: u64, frame: u64, report: &mut Report) -> Result<(), LogError> {
    let hash = scan.hash_before(resume)?.unwrap_or(report.head.hash);
    report.head = ChainHead { sequence: frame, hash };
    scan.offset = resume;
    Ok(())
}
