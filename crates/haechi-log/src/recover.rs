//! Opening what an earlier run left: find the end, cut a torn tail, refuse damage.

use std::{fs, path::Path};

use crate::{
    cipher::FrameCipher,
    error::{Damage, LogError},
    frame::ChainHead,
    io::Io,
    scan::{Scan, Step},
    segment::{self, Segment},
};

/// Where to go on writing.
pub(crate) struct Recovered {
    pub(crate) head: ChainHead,
    /// The last segment and its length.
    pub(crate) last: Option<(Segment, u64)>,
}

/// Checks how the segments join, and the last one frame by frame. ([`crate::verify`] checks all.)
pub(crate) fn recover(
    directory: &Path,
    cipher: &dyn FrameCipher,
    io: &dyn Io,
) -> Result<Recovered, LogError> {
    let segments = remove_empty(directory)?;
    check_joints(directory, &segments)?;
    let Some(last) = segments.into_iter().next_back() else {
        return Ok(Recovered { head: ChainHead::EMPTY, last: None });
    };
    let mut scan = Scan::open(directory, last)?;
    let mut head = ChainHead { sequence: scan.segment.first - 1, hash: [0; 32] };
    let mut is_first = true;
    loop {
        let expected = head.sequence + 1;
        match scan.step()? {
            Step::Frame(frame) => {
                // The first one's link was checked at the joint.
                if is_first {
                    head.hash = frame.header.previous;
                }
                is_first = false;
                if !frame.follows(&head) {
                    return Err(tampered(&scan.segment, expected, Damage::Chain));
                }
                frame
                    .records(cipher, &scan.segment)
                    .map_err(|damage| tampered(&scan.segment, expected, damage))?;
                head = frame.head();
            }
            Step::End => break,
            Step::Torn => {
                let path = scan.segment.path(directory);
                let mut file =
                    io.reopen(&path).map_err(|source| LogError::io("open", &path, source))?;
                file.truncate(scan.offset)
                    .map_err(|source| LogError::io("cut the torn tail of", &path, source))?;
                break;
            }
            Step::Damaged { sequence, damage, .. } => {
                return Err(tampered(&scan.segment, sequence.unwrap_or(expected), damage));
            }
        }
    }
    if is_first {
        head.hash = hash_before(directory, &scan.segment)?;
    }
    Ok(Recovered { head, last: Some((scan.segment.clone(), scan.offset)) })
}

/// Lists the segments; those without a byte hold nothing and are removed (a crash or a full disk
/// came between their creation and their first frame).
fn remove_empty(directory: &Path) -> Result<Vec<Segment>, LogError> {
    let (segments, _) = segment::list(directory)?;
    let mut kept = Vec::with_capacity(segments.len());
    for segment in segments {
        let path = segment.path(directory);
        let length =
            fs::metadata(&path).map_err(|source| LogError::io("inspect", &path, source))?.len();
        if length == 0 {
            fs::remove_file(&path).map_err(|source| LogError::io("remove", &path, source))?;
        } else {
            kept.push(segment);
        }
    }
    Ok(kept)
}

/// The hash of the last frame before a segment, of which not one frame is whole.
fn hash_before(directory: &Path, segment: &Segment) -> Result<[u8; 32], LogError> {
    let (segments, _) = segment::list(directory)?;
    match segments.into_iter().rfind(|other| other < segment) {
        Some(before) => Ok(Scan::open(directory, before)?.last_hash()?.unwrap_or_default()),
        None => Ok(ChainHead::EMPTY.hash),
    }
}

/// Checks that each segment begins where the one before it ends, by the hashes at the joints.
fn check_joints(directory: &Path, segments: &[Segment]) -> Result<(), LogError> {
    let mut before: Option<&Segment> = None;
    for (index, segment) in segments.iter().enumerate() {
        let scan = Scan::open(directory, segment.clone())?;
        let is_last = index + 1 == segments.len();
        let (expected_hash, missing_from) = match before {
            None => (Some(ChainHead::EMPTY.hash), (segment.first != 1).then_some(1)),
            Some(before) => (Scan::open(directory, before.clone())?.last_hash()?, None),
        };
        let chained = match scan.first_header()? {
            Some(header) => {
                header.sequence == segment.first && Some(header.previous) == expected_hash
            }
            // The last one's first frame may be torn; its scan tells.
            None if is_last => true,
            None => return Err(tampered(segment, segment.first, Damage::Header)),
        };
        let expected = match (missing_from, chained, before) {
            (Some(expected), ..) => Some(expected),
            (None, false, Some(before)) => Some(last_sequence(directory, before)? + 1),
            _ => None,
        };
        match expected {
            Some(expected) if expected != segment.first => {
                let (segment, found) = (segment.name(), segment.first);
                return Err(LogError::MissingSegment { segment, expected, found });
            }
            _ if !chained => return Err(tampered(segment, segment.first, Damage::Chain)),
            _ => before = Some(segment),
        }
    }
    Ok(())
}

/// The number of a segment's last readable frame.
fn last_sequence(directory: &Path, segment: &Segment) -> Result<u64, LogError> {
    let mut scan = Scan::open(directory, segment.clone())?;
    let mut last = segment.first - 1;
    while let Step::Frame(frame) = scan.step()? {
        last = frame.header.sequence;
    }
    Ok(last)
}

fn tampered(segment: &Segment, frame: u64, damage: Damage) -> LogError {
    LogError::Tampered { segment: segment.name(), frame, damage }
}
