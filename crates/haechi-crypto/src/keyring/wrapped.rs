//! A key of the keyring as it is stored: wrapped under the root key.

use super::KeyringError;
use crate::aead::{Aead, OVERHEAD_BYTES};
use crate::{CryptoError, Random, SecretBytes};

const ROW_VERSION: u8 = 1;
const HEADER_BYTES: usize = 14;
const ROW_BYTES: usize = HEADER_BYTES + 32 + OVERHEAD_BYTES;

/// What a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrappedKeyKind {
    /// A domain key.
    Domain,
    /// The secret behind hidden names; one per store, id 0.
    Naming,
}

impl WrappedKeyKind {
    const fn code(self) -> u8 {
        match self {
            Self::Domain => 1,
            Self::Naming => 2,
        }
    }
}

/// One row; safe to store in the clear. Layout: see [`crate::keyring`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    kind: WrappedKeyKind,
    id: u32,
    created_at_ms: i64,
    bytes: Vec<u8>,
}

impl WrappedKey {
    /// Reads a stored row; says nothing yet about its authenticity.
    ///
    /// # Errors
    /// [`KeyringError::MalformedRow`].
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        let malformed = || KeyringError::MalformedRow { length: bytes.len() };
        let (header, sealed) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(malformed)?;
        let [version, kind, i0, i1, i2, i3, created @ ..] = *header;
        let id = u32::from_be_bytes([i0, i1, i2, i3]);
        let kind = match (kind, id) {
            (1, 1..) => WrappedKeyKind::Domain,
            (2, 0) => WrappedKeyKind::Naming,
            _ => return Err(malformed()),
        };
        if version != ROW_VERSION || HEADER_BYTES + sealed.len() != ROW_BYTES {
            return Err(malformed());
        }
        let created_at_ms = i64::from_be_bytes(created);
        Ok(Self { kind, id, created_at_ms, bytes: bytes.to_vec() })
    }

    /// The row, to be stored under [`Self::storage_name`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A name that is unique in the store and sorts by id: `domain/0000000001`, `naming`.
    #[must_use]
    pub fn storage_name(&self) -> String {
        match self.kind {
            WrappedKeyKind::Domain => format!("domain/{:010}", self.id),
            WrappedKeyKind::Naming => "naming".to_owned(),
        }
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> WrappedKeyKind {
        self.kind
    }

    /// Its id: from 1 for domain keys, 0 for the naming key.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// When the key was made, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn created_at_ms(&self) -> i64 {
        self.created_at_ms
    }

    pub(super) fn wrap(
        wrapping: &Aead,
        kind: WrappedKeyKind,
        id: u32,
        created_at_ms: i64,
        key: &SecretBytes<32>,
        random: &dyn Random,
    ) -> Result<Self, CryptoError> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&[ROW_VERSION, kind.code()]);
        header.extend_from_slice(&id.to_be_bytes());
        header.extend_from_slice(&created_at_ms.to_be_bytes());
        let mut bytes = header.clone();
        wrapping.seal_into(&mut bytes, &header, key.expose(), random)?;
        Ok(Self { kind, id, created_at_ms, bytes })
    }

    pub(super) fn unwrap_with(&self, wrapping: &Aead) -> Result<SecretBytes<32>, KeyringError> {
        let refused = || KeyringError::RowRefused { name: self.storage_name() };
        let (header, sealed) = self.bytes.split_at_checked(HEADER_BYTES).ok_or_else(refused)?;
        let key = wrapping.open(header, sealed).ok_or_else(refused)?;
        SecretBytes::copy_from(key.expose()).ok_or_else(refused)
    }
}
