//! The key that signs the messages of SNS: RSA of 2048 bits, PKCS#1 v1.5 (RFC 8017 §8.2), over
//! SHA-256 (`SignatureVersion` 2) or SHA-1 (version 1, AWS's default).
//!
//! aws-lc-rs signs with SHA-256; over SHA-1 it only verifies. That private operation is done here,
//! with the constant-time arithmetic of `crypto-bigint`, by the Chinese remainder theorem; each
//! signature is verified before it leaves, so that a fault gives no factor away (Boneh, DeMillo,
//! Lipton 1997).

use aws_lc_rs::digest;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{NonZero, Odd, U64, U1024, U2048, Uint};
use zeroize::Zeroize;

use crate::der::{PrivateKeyInfo, rsa_numbers};
use crate::rsa::RsaMaterial;
use crate::signing::Input;
use crate::{CryptoError, KeySpec, SecretVec, SigningAlgorithm};

const FAILED: CryptoError = CryptoError::new("sign a notification");

/// Bytes of the modulus and of signatures.
const MODULUS_BYTES: usize = 256;

/// `DigestInfo` of SHA-1, before the digest (RFC 8017 §9.2, note 1).
const SHA1_PREFIX: &[u8] =
    &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// A key that signs notifications.
pub struct NotificationKey {
    rsa: RsaMaterial,
    numbers: Box<Numbers>,
}

impl NotificationKey {
    /// A new key. Takes tens of milliseconds: call it on a pool for blocking work.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn generate() -> Result<NotificationKey, CryptoError> {
        let key = RsaMaterial::generate(KeySpec::Rsa2048)?;
        NotificationKey::from_pkcs8(key.to_pkcs8()?.expose())
    }

    /// The key of a PKCS#8 document that [`Self::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<NotificationKey, CryptoError> {
        let rsa = RsaMaterial::from_pkcs8(KeySpec::Rsa2048, pkcs8).ok_or(FAILED)?;
        let numbers = PrivateKeyInfo::parse(pkcs8).and_then(|info| Numbers::parse(info.key));
        Ok(NotificationKey { rsa, numbers: Box::new(numbers.ok_or(FAILED)?) })
    }

    /// The key as a PKCS#8 document.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        self.rsa.to_pkcs8()
    }

    /// The public key, a `SubjectPublicKeyInfo` in DER.
    pub fn public_key(&self) -> &[u8] {
        self.rsa.public_key().as_der()
    }

    /// The signature over SHA-256: `SignatureVersion` 2.
    ///
    /// # Errors
    /// If it fails.
    pub fn sign_sha256(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.rsa.sign(SigningAlgorithm::RsassaPkcs1V15Sha256, &Input::Message(message))
    }

    /// The signature over SHA-1: `SignatureVersion` 1, for receivers that know no other.
    ///
    /// # Errors
    /// If it fails.
    pub fn sign_sha1(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        let padding = MODULUS_BYTES - 3 - SHA1_PREFIX.len() - digest.as_ref().len();
        let encoded =
            [&[0, 1], vec![0xff; padding].as_slice(), &[0], SHA1_PREFIX, digest.as_ref()].concat();
        let signature = self.numbers.power(&U2048::from_be_slice(&encoded)).ok_or(FAILED)?;
        Ok(signature.to_be_bytes().as_ref().to_vec())
    }
}

/// The SHA-256 digest of a message in hexadecimal digits: the deduplication id that its content
/// gives it.
pub fn sha256_hex(message: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, message);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The private key's numbers.
struct Numbers {
    n: FixedMontyParams<{ U2048::LIMBS }>,
    e: U64,
    p: FixedMontyParams<{ U1024::LIMBS }>,
    q: FixedMontyParams<{ U1024::LIMBS }>,
    exponent_p: U1024,
    exponent_q: U1024,
    /// q⁻¹ mod p.
    inverse: U1024,
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.p.zeroize();
        self.q.zeroize();
        self.exponent_p.zeroize();
        self.exponent_q.zeroize();
        self.inverse.zeroize();
    }
}

impl Numbers {
    fn parse(key: &[u8]) -> Option<Numbers> {
        let [n, e, _, p, q, exponent_p, exponent_q, inverse] = rsa_numbers(key)?;
        let prime = |bytes| {
            let odd = Option::<Odd<U1024>>::from(Odd::new(number(bytes)?))?;
            Some(FixedMontyParams::new(odd))
        };
        let modulus = Option::<Odd<U2048>>::from(Odd::new(number(n)?))?;
        Some(Numbers {
            n: FixedMontyParams::new_vartime(modulus),
            e: number(e)?,
            p: prime(p)?,
            q: prime(q)?,
            exponent_p: number(exponent_p)?,
            exponent_q: number(exponent_q)?,
            inverse: number(inverse)?,
        })
    }

    /// `message` to the private exponent, modulo n; `None` if the outcome does not verify.
    fn power(&self, message: &U2048) -> Option<U2048> {
        let (p, q) = (self.p.modulus().as_ref(), self.q.modulus().as_ref());
        let p_divisor = Option::<NonZero<U1024>>::from(NonZero::new(*p))?;
        let q_divisor = Option::<NonZero<U1024>>::from(NonZero::new(*q))?;
        let by_p = FixedMontyForm::new(&message.rem(&p_divisor), &self.p).pow(&self.exponent_p);
        let by_q = FixedMontyForm::new(&message.rem(&q_divisor), &self.q).pow(&self.exponent_q);
        let by_q = by_q.retrieve();
        // Garner: s = s_q + q · (q⁻¹ · (s_p − s_q) mod p).
        let difference = by_p - FixedMontyForm::new(&by_q.rem(&p_divisor), &self.p);
        let factor = (difference * FixedMontyForm::new(&self.inverse, &self.p)).retrieve();
        let product: U2048 = factor.concatenating_mul(q);
        let outcome = product.wrapping_add(&by_q.resize());
        let verified = FixedMontyForm::new(&outcome, &self.n).pow_vartime(&self.e).retrieve();
        (verified == *message).then_some(outcome)
    }
}

/// A big-endian number of at most `LIMBS` words.
fn number<const LIMBS: usize>(bytes: &[u8]) -> Option<Uint<LIMBS>> {
    let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(skipped..)?;
    let missing = (LIMBS * 8).checked_sub(bytes.len())?;
    let mut padded = zeroize::Zeroizing::new(vec![0; missing]);
    padded.extend_from_slice(bytes);
    Some(Uint::from_be_slice(&padded))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    };

    use super::*;

    #[test]
    fn signatures_of_both_versions_verify_and_no_other_message_does() {
        let key = NotificationKey::generate().unwrap();
        let again = NotificationKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        let info = crate::der::PublicKeyInfo::parse(key.public_key()).unwrap();
        let parse = |algorithm| ParsedPublicKey::new(algorithm, info.key).unwrap();
        let one = parse(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY);
        let two = parse(&RSA_PKCS1_2048_8192_SHA256);
        for message in [&b""[..], b"Message\nhello\n", &[0xff; 5000]] {
            let signature = key.sign_sha1(message).unwrap();
            assert_eq!(signature.len(), MODULUS_BYTES);
            one.verify_sig(message, &signature).unwrap();
            one.verify_sig(b"other", &signature).unwrap_err();
            assert_eq!(again.sign_sha1(message).unwrap(), signature);
            two.verify_sig(message, &key.sign_sha256(message).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_faulty_key_gives_no_signature_away() {
        let mut key = NotificationKey::generate().unwrap();
        key.numbers.exponent_p = key.numbers.exponent_p.wrapping_add(&U1024::ONE);
        assert!(key.sign_sha1(b"m").is_err());
    }

    #[test]
    fn a_digest_is_written_in_small_letters() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
    }
}
