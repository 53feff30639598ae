//! Additional authenticated data of a blob: its header and the encryption context.

use super::{EncryptionContext, HEADER_BYTES};
use crate::canonical::{length_u32, push_field};

/// `header ‖ u32 number of pairs ‖ (u32 length ‖ key ‖ u32 length ‖ value)*`, sorted by key bytes.
/// The header has a fixed length and every field its own, so no two contexts give the same bytes.
pub(super) fn additional_data(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let pairs: usize = context.iter().map(|(key, value)| 8 + key.len() + value.len()).sum();
    let mut aad = Vec::with_capacity(HEADER_BYTES + 4 + pairs);
    aad.extend_from_slice(header);
    aad.extend_from_slice(&length_u32(context.len()).to_be_bytes());
    for (key, value) in context {
        push_field(&mut aad, key.as_bytes());
        push_field(&mut aad, value.as_bytes());
    }
    aad
}
