//! Sub-keys: KBKDF in counter mode with HMAC-SHA-256 (NIST SP 800-108 Rev. 1, §4.1).
//!
//! Chosen over HKDF because FIPS 140-3 modules offer it as an approved service for key-encrypting
//! hierarchies, at the same speed. The fixed input is the standard's: `Label ‖ 0x00 ‖ Context ‖ L`.

use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};

use crate::{CryptoError, SecretBytes};

const FAILED: CryptoError = CryptoError::new("derive a key");

/// Fills `out` from `key` and an already formed fixed input.
pub(crate) fn kbkdf(key: &[u8], fixed_input: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    let algorithm = get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256).ok_or(FAILED)?;
    kbkdf_ctr_hmac(algorithm, key, fixed_input, out).map_err(|_| FAILED)
}

/// A 32-byte sub-key of `key` for the purpose that `label` names; no context.
pub(crate) fn subkey(key: &[u8; 32], label: &str) -> Result<SecretBytes<32>, CryptoError> {
    const LENGTH_BITS: u32 = 256;
    let mut fixed_input = Vec::with_capacity(label.len() + 5);
    fixed_input.extend_from_slice(label.as_bytes());
    fixed_input.push(0);
    fixed_input.extend_from_slice(&LENGTH_BITS.to_be_bytes());
    let mut out = [0; 32];
    kbkdf(key, &fixed_input, &mut out)?;
    Ok(SecretBytes::take(&mut out))
}

#[cfg(test)]
mod tests;
