//! Unambiguous byte strings for additional authenticated data.
//!
//! Every field is preceded by its length (u32, big-endian), so no two different lists of fields
//! give the same bytes.

/// Appends `field` with its length. Fields are bounded far below 4 GiB by the API's limits; the
/// length saturates rather than wraps, and the bytes still follow in full.
pub(crate) fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&length_u32(field.len()).to_be_bytes());
    out.extend_from_slice(field);
}

/// A length or count as the u32 of the encodings.
pub(crate) fn length_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
