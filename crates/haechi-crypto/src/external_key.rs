//! A KMS key as the *external key* of another KMS: one AES-256-GCM call as AWS's External Key Store
//! Proxy API (version 1) has it, where ciphertext, IV and tag travel apart and 20 bytes of metadata
//! are all that a key manager may add.
//!
//! ```text
//! ciphertextMetadata  01 | first 3 bytes of the material's handle | salt, 16 bytes
//! key                 KBKDF-CTR-HMAC-SHA-256(material, label | 00 | handle | salt | 00000100)
//! AAD                 u16 length | additionalAuthenticatedData | u8 length | ciphertextMetadata
//! ```
//! A fresh key for every call, so that no number of calls wears a key out; rotation is told by the
//! handle. Byte by byte: `docs/ciphertext.md`. Source of the AAD: "External Key Store Proxy API
//! Specification", Encrypt, `ciphertextMetadata`.

use crate::aead::{Aead, TAG_BYTES};
use crate::{
    CryptoError, InvalidCiphertext, MaterialHandle, Random, SecretBytes, SecretVec,
    SymmetricMaterial, derive,
};

/// Bytes of `ciphertextMetadata`, at most.
pub const METADATA_BYTES_MAX: usize = 20;
/// Bytes of `additionalAuthenticatedData`, at most: what its length is written in.
pub const ADDITIONAL_DATA_BYTES_MAX: usize = u16::MAX as usize;

const VERSION: u8 = 1;
const HANDLE_BYTES: usize = 3;
const SALT_BYTES: usize = 16;
const IV_BYTES: usize = 12;
const LABEL: &[u8] = b"haechi/external-key/v1";
const KEY_BITS: u32 = 256;

/// What an external key manager makes of a plaintext; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalCiphertext {
    /// What the key manager needs to find its way back; at most [`METADATA_BYTES_MAX`] bytes.
    pub metadata: Vec<u8>,
    /// 12 or 16 bytes.
    pub initialization_vector: Vec<u8>,
    /// As long as the plaintext.
    pub ciphertext: Vec<u8>,
    /// Never shortened.
    pub authentication_tag: [u8; 16],
}

/// What AES-GCM authenticates beside the ciphertext. Each part carries its length, so that neither
/// can pass for the other; `None` if one is too long for it.
#[must_use]
pub fn authenticated_data(additional_data: &[u8], metadata: &[u8]) -> Option<Vec<u8>> {
    let additional_length = u16::try_from(additional_data.len()).ok()?;
    let metadata_length = u8::try_from(metadata.len()).ok()?;
    let mut out = Vec::with_capacity(3 + additional_data.len() + metadata.len());
    out.extend_from_slice(&additional_length.to_be_bytes());
    out.extend_from_slice(additional_data);
    out.push(metadata_length);
    out.extend_from_slice(metadata);
    Some(out)
}

/// Whether a ciphertext says that it was made with the material of this handle. Others may say the
/// same by chance: it has only three bytes to say so.
#[must_use]
pub fn names_material(metadata: &[u8], handle: &MaterialHandle) -> bool {
    metadata.first() == Some(&VERSION)
        && metadata.len() == 1 + HANDLE_BYTES + SALT_BYTES
        && metadata.get(1..=HANDLE_BYTES) == handle.as_bytes().get(..HANDLE_BYTES)
}

impl SymmetricMaterial {
    /// Encrypts as an external key.
    ///
    /// # Errors
    /// When randomness or the library fails, or `additional_data` is longer than
    /// [`ADDITIONAL_DATA_BYTES_MAX`].
    pub fn encrypt_externally(
        &self,
        handle: &MaterialHandle,
        additional_data: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<ExternalCiphertext, CryptoError> {
        const TOO_LONG: CryptoError = CryptoError::new("encode additional data that is too long");
        let mut drawn = [0; SALT_BYTES + IV_BYTES];
        random.fill(&mut drawn)?;
        let (salt, iv) = drawn.split_at(SALT_BYTES);
        let mut metadata = vec![VERSION];
        metadata.extend(handle.as_bytes().iter().take(HANDLE_BYTES));
        metadata.extend_from_slice(salt);
        let aad = authenticated_data(additional_data, &metadata).ok_or(TOO_LONG)?;
        let mut nonce = [0; IV_BYTES];
        nonce.copy_from_slice(iv);
        let mut ciphertext = plaintext.to_vec();
        let sealed = self.call_key(handle, salt)?.seal_in_place(nonce, &aad, &mut ciphertext)?;
        Ok(ExternalCiphertext {
            metadata,
            initialization_vector: iv.to_vec(),
            ciphertext,
            authentication_tag: sealed,
        })
    }

    /// Opens what [`Self::encrypt_externally`] made with this material.
    ///
    /// # Errors
    /// One for every cause.
    pub fn decrypt_externally(
        &self,
        handle: &MaterialHandle,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, InvalidCiphertext> {
        if !names_material(&sealed.metadata, handle) {
            return Err(InvalidCiphertext);
        }
        let salt = sealed.metadata.get(1 + HANDLE_BYTES..).ok_or(InvalidCiphertext)?;
        let iv: [u8; IV_BYTES] =
            sealed.initialization_vector.as_slice().try_into().map_err(|_| InvalidCiphertext)?;
        let aad = authenticated_data(additional_data, &sealed.metadata).ok_or(InvalidCiphertext)?;
        let key = self.call_key(handle, salt).map_err(|_| InvalidCiphertext)?;
        let mut body = Vec::with_capacity(sealed.ciphertext.len() + TAG_BYTES);
        body.extend_from_slice(&sealed.ciphertext);
        body.extend_from_slice(&sealed.authentication_tag);
        key.open_with(iv, &aad, &body).ok_or(InvalidCiphertext)
    }

    fn call_key(&self, handle: &MaterialHandle, salt: &[u8]) -> Result<Aead, CryptoError> {
        let mut fixed_input = Vec::with_capacity(LABEL.len() + 1 + 32 + SALT_BYTES + 4);
        fixed_input.extend_from_slice(LABEL);
        fixed_input.push(0);
        fixed_input.extend_from_slice(handle.as_bytes());
        fixed_input.extend_from_slice(salt);
        fixed_input.extend_from_slice(&KEY_BITS.to_be_bytes());
        let mut derived = [0; 32];
        derive::kbkdf(self.secret().expose(), &fixed_input, &mut derived)?;
        Aead::new(SecretBytes::take(&mut derived).expose())
    }
}

#[cfg(test)]
mod tests;
