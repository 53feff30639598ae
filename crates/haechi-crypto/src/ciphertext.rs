//! The ciphertext blob of KMS: what `Encrypt` returns and `Decrypt` takes. Version 1.
//!
//! Byte-exact specification, worked vector and security argument: `docs/ciphertext.md`.
//!
//! ```text
//! offset  length  field
//!      0       5  prefix: 01 02 kk 00 78, kk = 02 Encrypt, 03 GenerateDataKey
//!      5      32  key-material handle
//!     37       1  suite: 01
//!     38      32  salt
//!     70      32  commitment                        } header: 0..102
//!    102      12  IV
//!    114       n  ciphertext (AES-256-GCM)
//!  114+n      16  tag
//! ```
//! A fresh key for every blob is derived from the material, the handle and the salt, together with
//! a commitment that is checked before anything is opened: a blob opens under one material only.

mod context;
mod derivation;
mod doubled;

use std::collections::BTreeMap;

use aws_lc_rs::aead::NONCE_LEN;

use crate::aead::TAG_BYTES;
use crate::{CryptoError, Random, SecretVec, SymmetricMaterial};
use context::additional_data;
use derivation::MessageKey;

pub use doubled::{DoubledBlob, outer_additional_data};

/// Bytes before the IV.
pub const HEADER_BYTES: usize = 102;
/// Bytes that a blob has beyond its plaintext.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_LEN + TAG_BYTES;
/// Longest blob; AWS's own limit of `CiphertextBlob`.
pub const BLOB_BYTES_MAX: usize = 6144;
/// Longest plaintext that fits a blob. The API allows less (4096).
pub const PLAINTEXT_BYTES_MAX: usize = BLOB_BYTES_MAX - OVERHEAD_BYTES;

/// AES-256-GCM under a key from KBKDF-CTR-HMAC-SHA-256, with key commitment.
const SUITE: u8 = 1;

/// The encryption context: what the caller must repeat to decrypt. Sorted by key bytes, as a
/// `BTreeMap` of `String`s is. An absent context is an empty one.
pub type EncryptionContext = BTreeMap<String, String>;

/// The operation that made a blob. Authenticated, and otherwise without effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobKind {
    /// `Encrypt`, `ReEncrypt`.
    Encrypt,
    /// `GenerateDataKey` and its relatives.
    GenerateDataKey,
}

impl BlobKind {
    const fn prefix(self) -> [u8; 5] {
        let code = match self {
            Self::Encrypt => 2,
            Self::GenerateDataKey => 3,
        };
        [1, 2, code, 0, 0x78]
    }

    const fn of_prefix(prefix: [u8; 5]) -> Option<Self> {
        match prefix {
            [1, 2, 2, 0, 0x78] => Some(Self::Encrypt),
            [1, 2, 3, 0, 0x78] => Some(Self::GenerateDataKey),
            _ => None,
        }
    }
}

/// Which key material a blob was made with: 32 random bytes that mean nothing outside the caller's
/// index from handle to (key, material). Not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaterialHandle([u8; 32]);

impl MaterialHandle {
    /// A handle for new material. 256 random bits: no two will meet, so no index lock is needed.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The handle with these bytes, from the caller's index.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for the caller's index.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The one error of everything that is wrong with a blob, so that nobody learns what was wrong:
/// malformed, made with other material, changed, or another encryption context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ciphertext is invalid; pass the blob and the encryption context exactly as they were \
     when it was encrypted"
)]
pub struct InvalidCiphertext;

/// Why a plaintext could not be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// Longer than [`PLAINTEXT_BYTES_MAX`].
    #[error("a plaintext of {length} bytes is too long; encrypt a data key instead")]
    TooLong {
        /// Bytes given.
        length: usize,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Encrypts `plaintext` under `material`, whose handle is `handle`.
///
/// # Errors
/// When the plaintext is too long, or randomness or the library fails.
pub fn encrypt(
    kind: BlobKind,
    material: &SymmetricMaterial,
    handle: &MaterialHandle,
    context: &EncryptionContext,
    plaintext: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, EncryptError> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return Err(EncryptError::TooLong { length: plaintext.len() });
    }
    // One draw for both: each costs a full DRBG update.
    let mut drawn = [0; 32 + NONCE_LEN];
    random.fill(&mut drawn)?;
    let (mut salt, mut iv) = ([0; 32], [0; NONCE_LEN]);
    let (salt_drawn, iv_drawn) = drawn.split_at(salt.len());
    salt.copy_from_slice(salt_drawn);
    iv.copy_from_slice(iv_drawn);

    let message_key = MessageKey::derive(material.secret(), SUITE, handle, &salt)?;
    let mut blob = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    blob.extend_from_slice(&kind.prefix());
    blob.extend_from_slice(&handle.0);
    blob.push(SUITE);
    blob.extend_from_slice(&salt);
    blob.extend_from_slice(message_key.commitment());
    let aad = additional_data(&blob, context);
    blob.extend_from_slice(&iv);
    let (aead, start) = (message_key.aead()?, blob.len());
    blob.extend_from_slice(plaintext);
    let tag = aead.seal_in_place(iv, &aad, blob.split_at_mut(start).1)?;
    blob.extend_from_slice(&tag);
    Ok(blob)
}

/// A blob of version 1, taken apart. Nothing in it is authenticated before [`Self::decrypt`].
#[derive(Debug, Clone, Copy)]
pub struct Blob<'a> {
    kind: BlobKind,
    header: &'a [u8; HEADER_BYTES],
    handle: &'a [u8; 32],
    salt: &'a [u8; 32],
    commitment: &'a [u8; 32],
    iv: &'a [u8; NONCE_LEN],
    /// Ciphertext and tag.
    body: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Takes any bytes apart; total, allocates nothing, looks at no content but the fixed bytes.
    ///
    /// # Errors
    /// When it is too short or too long, or prefix or suite are unknown.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidCiphertext> {
        Self::split(bytes).ok_or(InvalidCiphertext)
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > BLOB_BYTES_MAX {
            return None;
        }
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let (iv, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        if body.len() < TAG_BYTES {
            return None;
        }
        let (prefix, fields) = header.split_first_chunk::<5>()?;
        let (handle, fields) = fields.split_first_chunk::<32>()?;
        let (suite, fields) = fields.split_first_chunk::<1>()?;
        let (salt, fields) = fields.split_first_chunk::<32>()?;
        let (commitment, _) = fields.split_first_chunk::<32>()?;
        if *suite != [SUITE] {
            return None;
        }
        let kind = BlobKind::of_prefix(*prefix)?;
        Some(Self { kind, header, handle, salt, commitment, iv, body })
    }

    /// The operation that made it.
    #[must_use]
    pub fn kind(&self) -> BlobKind {
        self.kind
    }

    /// The material that it claims to be made with; look it up, then [`Self::decrypt`].
    #[must_use]
    pub fn handle(&self) -> MaterialHandle {
        MaterialHandle(*self.handle)
    }

    /// Length of the plaintext inside.
    #[must_use]
    pub fn plaintext_len(&self) -> usize {
        self.body.len().saturating_sub(TAG_BYTES)
    }

    /// Opens it: derives the call's key, compares the commitment in constant time, then decrypts.
    ///
    /// # Errors
    /// One error for every cause; a library failure counts as one, since no plaintext may follow.
    pub fn decrypt(
        &self,
        material: &SymmetricMaterial,
        context: &EncryptionContext,
    ) -> Result<SecretVec, InvalidCiphertext> {
        let message_key = self.message_key(material)?;
        let aad = additional_data(self.header, context);
        let aead = message_key.aead().map_err(|_| InvalidCiphertext)?;
        aead.open_with(*self.iv, &aad, self.body).ok_or(InvalidCiphertext)
    }

    fn message_key(&self, material: &SymmetricMaterial) -> Result<MessageKey, InvalidCiphertext> {
        let derived = MessageKey::derive(material.secret(), SUITE, &self.handle(), self.salt);
        let message_key = derived.map_err(|_| InvalidCiphertext)?;
        if message_key.commits_to(self.commitment) {
            Ok(message_key)
        } else {
            Err(InvalidCiphertext)
        }
    }
}

#[cfg(test)]
mod tests;
