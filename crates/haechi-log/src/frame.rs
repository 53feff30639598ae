//! The bytes of a frame. Layout: see the crate's page.

use aws_lc_rs::digest;

/// Bytes before the sealed payload.
pub(crate) const HEADER: usize = 64;
/// Bytes of a hash, also after the payload.
pub(crate) const HASH: usize = 32;
/// No frame's payload is larger; a length beyond it is damage.
pub(crate) const MAX_PAYLOAD: u32 = 64 << 20;

const MAGIC: &[u8; 4] = b"HLG1";
const CHECKED: usize = 48;

/// The end of the hash chain: what to anchor elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Sequence number of the last frame; 0 in an empty log.
    pub sequence: u64,
    /// SHA-256 of the last frame; zeros in an empty log.
    pub hash: [u8; 32],
}

impl ChainHead {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };
}

/// A frame's header, already checked against its check value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) length: u32,
    pub(crate) sequence: u64,
    pub(crate) previous: [u8; HASH],
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; HASH] {
    let mut hash = [0; HASH];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

impl Header {
    /// None if the magic or the check value is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (checked, rest) = bytes.split_at_checked(CHECKED)?;
        let (magic, fields) = checked.split_first_chunk::<4>()?;
        let (length, fields) = fields.split_first_chunk::<4>()?;
        let (sequence, previous) = fields.split_first_chunk::<8>()?;
        let length = u32::from_be_bytes(*length);
        let good = magic == MAGIC
            && sha256(checked).get(..HEADER - CHECKED) == rest.get(..HEADER - CHECKED)
            && length <= MAX_PAYLOAD;
        let (sequence, previous) = (u64::from_be_bytes(*sequence), previous.try_into().ok()?);
        good.then_some(Self { length, sequence, previous })
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_length(&self) -> u64 {
        (HEADER + HASH) as u64 + u64::from(self.length)
    }
}

/// What the seal binds: the frame's place in the chain and its segment's start.
pub(crate) fn aad(sequence: u64, previous: &[u8; HASH], segment_start: u64) -> [u8; 52] {
    let mut aad = [0; 52];
    let parts = [MAGIC.as_slice(), &sequence.to_be_bytes(), previous, &segment_start.to_be_bytes()];
    for (to, from) in aad.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    aad
}

/// Writes the frame after `head` into `out`, whose sealed payload `seal` appends, and returns the
/// new head.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    head: &ChainHead,
    seal: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<ChainHead> {
    let sequence = head.sequence + 1;
    out.clear();
    // The header comes last, when the length is known.
    out.resize(HEADER, 0);
    seal(out)?;
    let length = out.len().checked_sub(HEADER).and_then(|length| u32::try_from(length).ok());
    let length = length.filter(|length| *length <= MAX_PAYLOAD)?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&length.to_be_bytes());
    header.extend_from_slice(&sequence.to_be_bytes());
    header.extend_from_slice(&head.hash);
    let check = sha256(&header);
    header.extend_from_slice(check.get(..HEADER - CHECKED)?);
    out.get_mut(..HEADER)?.copy_from_slice(&header);
    let hash = sha256(out);
    out.extend_from_slice(&hash);
    Some(ChainHead { sequence, hash })
}

/// Appends a record to a payload.
pub(crate) fn push_record(payload: &mut Vec<u8>, record: &[u8]) {
    // The record limit is far below 4 GiB.
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(record);
}

/// The records of a payload; None if it is malformed.
pub(crate) fn records(payload: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    let mut rest = payload;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (record, after) = after.split_at_checked(length)?;
        records.push(record.to_vec());
        rest = after;
    }
    rest.is_empty().then_some(records)
}
