//! HMAC (FIPS 198-1) as `GenerateMac` and `VerifyMac` use it: the raw tag, never truncated.

use aws_lc_rs::hmac;

use crate::{CryptoError, KeySpec, Random, SecretVec};

/// An HMAC key. Its length is the hash's: 28, 32, 48 or 64 bytes.
pub struct HmacMaterial {
    spec: KeySpec,
    secret: SecretVec,
    key: hmac::Key,
}

/// The one error of everything that is wrong with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HMAC is invalid for this message and key")]
pub struct InvalidMac;

impl HmacMaterial {
    pub(crate) fn generate(spec: KeySpec, random: &dyn Random) -> Result<Self, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("generate an HMAC key");
        let algorithm = algorithm(spec).ok_or(FAILED)?;
        let mut secret = SecretVec::zero(algorithm.tag_len());
        random.fill(secret.expose_mut())?;
        Self::new(spec, secret).ok_or(FAILED)
    }

    /// `None` unless the secret is as long as the spec demands.
    pub(crate) fn new(spec: KeySpec, secret: SecretVec) -> Option<Self> {
        let algorithm = algorithm(spec)?;
        if secret.len() != algorithm.tag_len() {
            return None;
        }
        let key = hmac::Key::new(algorithm, secret.expose());
        Some(Self { spec, secret, key })
    }

    pub(crate) fn spec(&self) -> KeySpec {
        self.spec
    }

    pub(crate) fn secret(&self) -> &SecretVec {
        &self.secret
    }

    /// The tag: 28, 32, 48 or 64 bytes.
    #[must_use]
    pub fn generate_mac(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    /// Compares in constant time.
    ///
    /// # Errors
    /// When the tag is any other than the message's whole tag.
    pub fn verify_mac(&self, message: &[u8], mac: &[u8]) -> Result<(), InvalidMac> {
        hmac::verify(&self.key, message, mac).map_err(|_| InvalidMac)
    }
}

fn algorithm(spec: KeySpec) -> Option<hmac::Algorithm> {
    match spec {
        KeySpec::Hmac224 => Some(hmac::HMAC_SHA224),
        KeySpec::Hmac256 => Some(hmac::HMAC_SHA256),
        KeySpec::Hmac384 => Some(hmac::HMAC_SHA384),
        KeySpec::Hmac512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded::SeededRandom;

    const SPECS: [(KeySpec, usize); 4] = [
        (KeySpec::Hmac224, 28),
        (KeySpec::Hmac256, 32),
        (KeySpec::Hmac384, 48),
        (KeySpec::Hmac512, 64),
    ];

    #[test]
    fn a_tag_is_accepted_whole_and_for_its_own_message_and_key_only() {
        for (spec, bytes) in SPECS {
            let key = HmacMaterial::generate(spec, &SeededRandom::new(1)).unwrap();
            let other = HmacMaterial::generate(spec, &SeededRandom::new(2)).unwrap();
            let tag = key.generate_mac(b"message");
            assert_eq!(tag.len(), bytes);
            assert_eq!(key.verify_mac(b"message", &tag), Ok(()));
            assert_eq!(other.verify_mac(b"message", &tag), Err(InvalidMac));
            assert_eq!(key.verify_mac(b"massage", &tag), Err(InvalidMac));
            for bit in 0..bytes * 8 {
                let mut changed = tag.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(key.verify_mac(b"message", &changed), Err(InvalidMac), "{bit}");
            }
            for length in 0..bytes {
                assert_eq!(key.verify_mac(b"message", &tag[..length]), Err(InvalidMac));
            }
        }
    }

    #[test]
    fn a_key_has_exactly_the_length_of_its_hash() {
        for (spec, bytes) in SPECS {
            for length in [0, bytes - 1, bytes + 1] {
                assert!(HmacMaterial::new(spec, SecretVec::zero(length)).is_none());
            }
            assert!(HmacMaterial::new(spec, SecretVec::zero(bytes)).is_some());
        }
        assert!(HmacMaterial::new(KeySpec::SymmetricDefault, SecretVec::zero(32)).is_none());
    }
}
