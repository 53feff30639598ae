//! Walking the frames of one segment and telling a torn tail from damage.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path, thread, time::Duration};

use crate::{
    cipher::FrameCipher,
    error::{Damage, LogError},
    frame::{self, ChainHead, HASH, HEADER, Header},
    segment::Segment,
};

/// The smallest piece that a disk writes whole.
const SECTOR: u64 = 512;

/// How often a frame that looks damaged is looked at again.
const SECOND_LOOKS: u32 = 3;

/// Bytes that are read at a time where nothing but zeros is expected.
const PIECE: usize = 64 << 10;

/// A segment open for reading.
pub(crate) struct Scan {
    file: File,
    pub(crate) segment: Segment,
    path: std::path::PathBuf,
    /// Where the next frame begins.
    pub(crate) offset: u64,
}

/// What stands at the scan's offset.
pub(crate) enum Step {
    /// A whole frame; the scan has moved behind it.
    Frame(Frame),
    /// Nothing: the end of the file.
    End,
    /// A frame that a crash, or a writer at work, left unfinished.
    Torn,
    /// A damaged frame. `resume`, if its length can be trusted, is where the next begins.
    Damaged { sequence: Option<u64>, damage: Damage, resume: Option<u64> },
}

/// A frame whose bytes fit its hash.
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) hash: [u8; HASH],
    sealed: Vec<u8>,
}

impl Frame {
    pub(crate) fn head(&self) -> ChainHead {
        ChainHead { sequence: self.header.sequence, hash: self.hash }
    }

    /// Whether it follows `before`.
    pub(crate) fn follows(&self, before: &ChainHead) -> bool {
        self.header.sequence == before.sequence + 1 && self.header.previous == before.hash
    }

    /// Opens the seal and splits the records.
    pub(crate) fn records(
        &self,
        cipher: &dyn FrameCipher,
        segment: &Segment,
    ) -> Result<Vec<Vec<u8>>, Damage> {
        let aad = frame::aad(self.header.sequence, &self.header.previous, segment.start);
        let payload = cipher.open(&aad, &self.sealed).map_err(|_| Damage::Seal)?;
        frame::records(&payload).ok_or(Damage::Records)
    }
}

impl Scan {
    pub(crate) fn open(directory: &Path, segment: Segment) -> Result<Self, LogError> {
        let path = segment.path(directory);
        let file = File::open(&path).map_err(|source| LogError::io("open", &path, source))?;
        Ok(Self { file, segment, path, offset: 0 })
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(LogError::io("read", &self.path, source)),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The last 32 bytes: the hash of the last frame, if the segment is whole.
    pub(crate) fn last_hash(&self) -> Result<Option<[u8; HASH]>, LogError> {
        let length =
            self.file.metadata().map_err(|e| LogError::io("inspect", &self.path, e))?.len();
        self.hash_before(length)
    }

    /// The hash that ends at `end`.
    pub(crate) fn hash_before(&self, end: u64) -> Result<Option<[u8; HASH]>, LogError> {
        match end.checked_sub(HASH as u64) {
            Some(offset) => Ok(self.read(offset, HASH)?.try_into().ok()),
            None => Ok(None),
        }
    }

    /// The header of the first frame, if there is a whole one.
    pub(crate) fn first_header(&self) -> Result<Option<Header>, LogError> {
        Ok(Header::parse(&self.read(0, HEADER)?))
    }

    /// Reads the next frame. One that looks damaged is looked at again, since a writer may be in the
    /// midst of it.
    pub(crate) fn step(&mut self) -> Result<Step, LogError> {
        for _ in 0..SECOND_LOOKS {
            let step = self.look()?;
            if !matches!(step, Step::Damaged { .. }) {
                return Ok(step);
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.look()
    }

    fn look(&mut self) -> Result<Step, LogError> {
        let head = self.read(self.offset, HEADER)?;
        if head.is_empty() {
            return Ok(Step::End);
        }
        if head.len() < HEADER {
            return Ok(Step::Torn);
        }
        let Some(header) = Header::parse(&head) else {
            if has_unwritten_sector(self.offset, &head) {
                return Ok(Step::Torn);
            }
            return Ok(Step::Damaged { sequence: None, damage: Damage::Header, resume: None });
        };
        let wanted = usize::try_from(header.frame_length()).unwrap_or(usize::MAX);
        let mut bytes = self.read(self.offset, wanted)?;
        let whole = bytes.len() == wanted;
        let (body, stored) = bytes.split_at(bytes.len().saturating_sub(HASH));
        let hash = frame::sha256(body);
        if !whole || (hash != stored && has_unwritten_sector(self.offset, &bytes)) {
            return Ok(Step::Torn);
        }
        let resume = self.offset + header.frame_length();
        if hash != stored {
            let sequence = Some(header.sequence);
            return Ok(Step::Damaged { sequence, damage: Damage::Hash, resume: Some(resume) });
        }
        self.offset = resume;
        bytes.truncate(wanted - HASH);
        let sealed = bytes.split_off(HEADER);
        Ok(Step::Frame(Frame { header, hash, sealed }))
    }

    /// Where each whole frame from the offset on begins, by the headers alone.
    pub(crate) fn offsets(&mut self) -> Result<Vec<u64>, LogError> {
        let metadata = self.file.metadata().map_err(|e| LogError::io("inspect", &self.path, e))?;
        let mut offsets = Vec::new();
        let mut offset = self.offset;
        while let Some(header) = Header::parse(&self.read(offset, HEADER)?) {
            let next = offset + header.frame_length();
            if next > metadata.len() {
                break;
            }
            offsets.push(offset);
            offset = next;
        }
        Ok(offsets)
    }

    /// Whether there are only zeros from the offset on: what a writer wrote ahead of its frames.
    pub(crate) fn rest_is_blank(&self) -> Result<bool, LogError> {
        let mut offset = self.offset;
        loop {
            let piece = self.read(offset, PIECE)?;
            if piece.is_empty() {
                return Ok(true);
            }
            if piece.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            offset += piece.len() as u64;
        }
    }

    /// Bytes from the offset to the end of the file.
    pub(crate) fn rest(&self) -> Result<u64, LogError> {
        let metadata = self.file.metadata().map_err(|e| LogError::io("inspect", &self.path, e))?;
        Ok(metadata.len().saturating_sub(self.offset))
    }
}

/// Whether one of the sectors that these bytes lie in was never written: it reads as zeros. To be
/// asked only of frames that are not whole; in a whole one a few bytes may be zero by chance.
fn has_unwritten_sector(offset: u64, bytes: &[u8]) -> bool {
    let first = usize::try_from(SECTOR - offset % SECTOR).unwrap_or_default();
    let (first, rest) = bytes.split_at(first.min(bytes.len()));
    let mut sectors = std::iter::once(first).chain(rest.chunks(SECTOR as usize));
    sectors.any(|sector| !sector.is_empty() && sector.iter().all(|byte| *byte == 0))
}
