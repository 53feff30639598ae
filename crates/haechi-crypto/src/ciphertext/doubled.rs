//! Suite 02: a blob inside what an external key manager or a hardware token made of it.
//!
//! A KMS key in a custom key store has material of its own and a *backing key* elsewhere. A
//! plaintext is encrypted under the material first (suite 01, the inner blob), and the inner blob by
//! the backing key. Neither side alone can open it.
//!
//! ```text
//! offset  length  field
//!      0       5  prefix: 01 02 kk 00 78
//!      5      32  key-material handle
//!     37       1  suite: 02
//!     38       1  m: length of the metadata, 0 to 20
//!     39       1  i: length of the IV, 12 or 16
//!     40       m  ciphertextMetadata
//!   40+m       i  initializationVector
//!              16 authenticationTag
//!              n  ciphertext: the inner blob, encrypted
//! ```
//! Byte-exact specification: `docs/ciphertext.md`.

use aws_lc_rs::digest;

use super::context::additional_data;
use super::{BLOB_BYTES_MAX, BlobKind, EncryptionContext, InvalidCiphertext, MaterialHandle};
use crate::external_key::{ExternalCiphertext, METADATA_BYTES_MAX};

const SUITE: u8 = 2;
const FIXED_BYTES: usize = 40;
const LABEL: &[u8] = b"haechi/doubled/v1";

/// A blob of suite 02, taken apart. Nothing in it is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubledBlob {
    kind: BlobKind,
    handle: MaterialHandle,
    /// What the backing key opens.
    pub outer: ExternalCiphertext,
}

/// What the backing key authenticates beside the inner blob: 32 bytes that stand for the kind, the
/// handle and the encryption context, of which the key manager learns nothing.
#[must_use]
pub fn outer_additional_data(
    kind: BlobKind,
    handle: &MaterialHandle,
    context: &EncryptionContext,
) -> [u8; 32] {
    let mut header = Vec::with_capacity(LABEL.len() + 38);
    header.extend_from_slice(LABEL);
    header.extend_from_slice(&kind.prefix());
    header.extend_from_slice(handle.as_bytes());
    header.push(SUITE);
    let mut out = [0; 32];
    let hash = digest::digest(&digest::SHA256, &additional_data(&header, context));
    for (byte, computed) in out.iter_mut().zip(hash.as_ref()) {
        *byte = *computed;
    }
    out
}

impl DoubledBlob {
    /// A blob of what the backing key made of an inner one; `None` if its parts are not such as a
    /// backing key may make.
    #[must_use]
    pub fn new(kind: BlobKind, handle: MaterialHandle, outer: ExternalCiphertext) -> Option<Self> {
        let iv = outer.initialization_vector.len();
        let length = FIXED_BYTES + outer.metadata.len() + iv + 16 + outer.ciphertext.len();
        let valid = outer.metadata.len() <= METADATA_BYTES_MAX
            && matches!(iv, 12 | 16)
            && length <= BLOB_BYTES_MAX;
        valid.then_some(Self { kind, handle, outer })
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let outer = &self.outer;
        let length = |part: &[u8]| u8::try_from(part.len()).unwrap_or(u8::MAX);
        let mut out = Vec::with_capacity(FIXED_BYTES + 52 + outer.ciphertext.len());
        out.extend_from_slice(&self.kind.prefix());
        out.extend_from_slice(self.handle.as_bytes());
        out.push(SUITE);
        out.push(length(&outer.metadata));
        out.push(length(&outer.initialization_vector));
        out.extend_from_slice(&outer.metadata);
        out.extend_from_slice(&outer.initialization_vector);
        out.extend_from_slice(&outer.authentication_tag);
        out.extend_from_slice(&outer.ciphertext);
        out
    }

    /// Takes any bytes apart.
    ///
    /// # Errors
    /// When they are no blob of this suite.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidCiphertext> {
        Self::split(bytes).ok_or(InvalidCiphertext)
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<5>()?;
        let kind = BlobKind::of_prefix(*prefix)?;
        let (handle, rest) = rest.split_first_chunk::<32>()?;
        let ([suite, metadata_bytes, iv_bytes], rest) = rest.split_first_chunk::<3>()?;
        if *suite != SUITE {
            return None;
        }
        let (metadata, rest) = rest.split_at_checked(usize::from(*metadata_bytes))?;
        let (initialization_vector, rest) = rest.split_at_checked(usize::from(*iv_bytes))?;
        let (tag, ciphertext) = rest.split_first_chunk::<16>()?;
        let outer = ExternalCiphertext {
            metadata: metadata.to_vec(),
            initialization_vector: initialization_vector.to_vec(),
            ciphertext: ciphertext.to_vec(),
            authentication_tag: *tag,
        };
        Self::new(kind, MaterialHandle::from_bytes(*handle), outer)
    }

    /// The operation that made it.
    #[must_use]
    pub fn kind(&self) -> BlobKind {
        self.kind
    }

    /// The material of the inner blob, by which its KMS key is found.
    #[must_use]
    pub fn handle(&self) -> MaterialHandle {
        self.handle
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn blob(metadata: usize, iv: usize, ciphertext: usize) -> Option<DoubledBlob> {
        let outer = ExternalCiphertext {
            metadata: vec![1; metadata],
            initialization_vector: vec![2; iv],
            ciphertext: vec![3; ciphertext],
            authentication_tag: [4; 16],
        };
        DoubledBlob::new(BlobKind::Encrypt, MaterialHandle::from_bytes([5; 32]), outer)
    }

    #[test]
    fn a_blob_comes_back_from_its_bytes() {
        for (metadata, iv) in [(0, 12), (20, 16), (7, 12)] {
            let blob = blob(metadata, iv, 162).unwrap();
            let bytes = blob.to_bytes();
            assert_eq!(bytes.len(), 40 + metadata + iv + 16 + 162);
            assert_eq!(DoubledBlob::parse(&bytes), Ok(blob));
        }
    }

    #[test]
    fn parts_of_other_sizes_than_a_backing_key_may_make_are_refused() {
        for (metadata, iv, ciphertext) in [(21, 12, 10), (0, 13, 10), (0, 0, 10), (0, 12, 6077)] {
            assert!(blob(metadata, iv, ciphertext).is_none(), "{metadata} {iv} {ciphertext}");
        }
        assert!(blob(0, 12, 6076).is_some());
    }

    #[test]
    fn the_additional_data_depends_on_kind_handle_and_context() {
        let handle = MaterialHandle::from_bytes([5; 32]);
        let context = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let base = outer_additional_data(BlobKind::Encrypt, &handle, &context);
        let other_handle = MaterialHandle::from_bytes([6; 32]);
        for other in [
            outer_additional_data(BlobKind::GenerateDataKey, &handle, &context),
            outer_additional_data(BlobKind::Encrypt, &other_handle, &context),
            outer_additional_data(BlobKind::Encrypt, &handle, &BTreeMap::new()),
        ] {
            assert_ne!(base, other);
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_what_was_written(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = vec![1, 2, 2, 0, 0x78];
            framed.extend_from_slice(&[9; 32]);
            framed.push(SUITE);
            framed.extend_from_slice(&bytes);
            if let Ok(blob) = DoubledBlob::parse(&framed) {
                prop_assert_eq!(blob.to_bytes(), framed);
            }
        }
    }
}
