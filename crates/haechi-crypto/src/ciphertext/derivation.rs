//! From key material to the key and the commitment of one call.
//!
//! KBKDF in counter mode, HMAC-SHA-256, 64 bytes (SP 800-108 §4.1), with the fixed input
//! `"haechi/ciphertext/v1" ‖ 00 ‖ suite ‖ handle ‖ salt ‖ 00000200`. A prepared HMAC key was
//! measured to be no faster than the library's one call, which is also the FIPS service.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::MaterialHandle;
use crate::aead::Aead;
use crate::{CryptoError, SecretBytes, derive};

const LABEL: &[u8; 20] = b"haechi/ciphertext/v1";
const LENGTH_BITS: u32 = 512;
const FIXED_INPUT_BYTES: usize = 20 + 1 + 1 + 32 + 32 + 4;

/// What is derived for one call: encryption key, then commitment. Wiped when dropped.
pub(super) struct MessageKey([[u8; 32]; 2]);

impl MessageKey {
    pub(super) fn derive(
        material: &SecretBytes<32>,
        suite: u8,
        handle: &MaterialHandle,
        salt: &[u8; 32],
    ) -> Result<Self, CryptoError> {
        let mut fixed_input = [0; FIXED_INPUT_BYTES];
        let (label, rest) = fixed_input.split_at_mut(LABEL.len());
        let (separator_and_suite, rest) = rest.split_at_mut(2);
        let (handle_at, rest) = rest.split_at_mut(handle.as_bytes().len());
        let (salt_at, length_at) = rest.split_at_mut(salt.len());
        label.copy_from_slice(LABEL);
        separator_and_suite.copy_from_slice(&[0, suite]);
        handle_at.copy_from_slice(handle.as_bytes());
        salt_at.copy_from_slice(salt);
        length_at.copy_from_slice(&LENGTH_BITS.to_be_bytes());

        let mut key = Self([[0; 32]; 2]);
        derive::kbkdf(material.expose(), &fixed_input, key.0.as_flattened_mut())?;
        Ok(key)
    }

    pub(super) fn aead(&self) -> Result<Aead, CryptoError> {
        let [encryption, _] = &self.0;
        Aead::new(encryption)
    }

    pub(super) fn commitment(&self) -> &[u8; 32] {
        let [_, commitment] = &self.0;
        commitment
    }

    /// Compares in constant time.
    pub(super) fn commits_to(&self, commitment: &[u8; 32]) -> bool {
        self.commitment().ct_eq(commitment).into()
    }
}

impl Drop for MessageKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
