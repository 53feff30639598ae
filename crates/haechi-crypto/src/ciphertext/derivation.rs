//! From key material to the key and the commitment of one call.
//!
//! KBKDF in counter mode, HMAC-SHA-256, 64 bytes (SP 800-108 §4.1), with the fixed input
//! `"haechi/ciphertext/v1" ‖ 00 ‖ suite ‖ handle ‖ salt ‖ 00000200`.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::MaterialHandle;
use crate::aead::Aead;
use crate::{CryptoError, SecretBytes};

const LABEL: &[u8; 20] = b"haechi/ciphertext/v1";
const LENGTH_BITS: u32 = 512;

/// A material's HMAC key with its schedule computed, which saves two of eight SHA-256 blocks and
/// the key handling of every call. aws-lc wipes it when freed.
pub(crate) struct Derivation(hmac::Key);

impl Derivation {
    pub(crate) fn new(material: &SecretBytes<32>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, material.expose()))
    }

    /// Derives both halves of the 64 bytes.
    pub(super) fn message_key(
        &self,
        suite: u8,
        handle: &MaterialHandle,
        salt: &[u8; 32],
    ) -> Result<MessageKey, CryptoError> {
        let mut key = MessageKey { encryption: [0; 32], commitment: [0; 32] };
        self.block(1, suite, handle, salt, &mut key.encryption)?;
        self.block(2, suite, handle, salt, &mut key.commitment)?;
        Ok(key)
    }

    /// Block `counter` of KBKDF: one HMAC over the counter and the fixed input.
    fn block(
        &self,
        counter: u32,
        suite: u8,
        handle: &MaterialHandle,
        salt: &[u8; 32],
        out: &mut [u8; 32],
    ) -> Result<(), CryptoError> {
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(&counter.to_be_bytes());
        mac.update(LABEL);
        mac.update(&[0, suite]);
        mac.update(handle.as_bytes());
        mac.update(salt);
        mac.update(&LENGTH_BITS.to_be_bytes());
        let tag = mac.sign();
        let block = tag.as_ref().try_into().map_err(|_| CryptoError::new("derive a key"))?;
        *out = block;
        Ok(())
    }
}

/// What is derived for one call; wiped when dropped.
pub(super) struct MessageKey {
    encryption: [u8; 32],
    commitment: [u8; 32],
}

impl MessageKey {
    pub(super) fn aead(&self) -> Result<Aead, CryptoError> {
        Aead::new(&self.encryption)
    }

    #[cfg(test)]
    pub(super) fn encryption_key(&self) -> &[u8; 32] {
        &self.encryption
    }

    pub(super) fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Compares in constant time.
    pub(super) fn commits_to(&self, commitment: &[u8; 32]) -> bool {
        self.commitment.ct_eq(commitment).into()
    }
}

impl Drop for MessageKey {
    fn drop(&mut self) {
        self.encryption.zeroize();
    }
}
