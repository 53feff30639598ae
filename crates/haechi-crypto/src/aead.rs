//! AES-256-GCM (SP 800-38D) with a random nonce, in the one shape that this crate uses at rest:
//! `12-byte nonce ‖ ciphertext ‖ 16-byte tag`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{CryptoError, Random, SecretVec};

/// Bytes of the tag.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes that sealing adds.
pub(crate) const OVERHEAD_BYTES: usize = NONCE_LEN + TAG_BYTES;

/// A key with its schedule computed; aws-lc wipes it when freed.
pub(crate) struct Aead(LessSafeKey);

impl Aead {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, CryptoError> {
        let unbound = UnboundKey::new(&AES_256_GCM, key)
            .map_err(|_| CryptoError::new("set up an AES-256-GCM key"))?;
        Ok(Self(LessSafeKey::new(unbound)))
    }

    /// Appends `nonce ‖ ciphertext ‖ tag` to `out`.
    pub(crate) fn seal_into(
        &self,
        out: &mut Vec<u8>,
        aad: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<(), CryptoError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        out.reserve(OVERHEAD_BYTES + plaintext.len());
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let tag = self.seal_in_place(nonce, aad, out.split_at_mut(start).1)?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Encrypts `body` where it is and returns the tag.
    pub(crate) fn seal_in_place(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], CryptoError> {
        const FAILED: CryptoError = CryptoError::new("seal with AES-256-GCM");
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), body);
        let tag = sealed.map_err(|_| FAILED)?;
        tag.as_ref().try_into().map_err(|_| FAILED)
    }

    /// Opens `nonce ‖ ciphertext ‖ tag`; `None` if it is not authentic, whatever the reason.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<SecretVec> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        self.open_with(*nonce, aad, body)
    }

    /// Opens `ciphertext ‖ tag` under a given nonce.
    pub(crate) fn open_with(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        body: &[u8],
    ) -> Option<SecretVec> {
        let (ciphertext, tag) = body.split_last_chunk::<TAG_BYTES>()?;
        let mut plaintext = SecretVec::zero(ciphertext.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0
            .open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, plaintext.expose_mut())
            .ok()?;
        Some(plaintext)
    }
}

#[cfg(test)]
mod tests;
