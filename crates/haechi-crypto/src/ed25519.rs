//! Ed25519 and Ed25519ph (RFC 8032 §5.1), both with an empty context.
//!
//! Pure Ed25519 is aws-lc-rs. The prehashed form is `ed25519-dalek`: the safe API of aws-lc-rs
//! lacks it. AWS gives it a digest as message and hashes that once more (`Sign`, `MessageType`).

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use ed25519_dalek::{Digest as _, Sha512};

use crate::der::{PrivateKeyInfo, PublicKeyInfo};
use crate::signing::Input;
use crate::{CryptoError, KeySpec, PublicKey, Random, SecretBytes, SecretVec, SigningAlgorithm};

/// Content of `id-Ed25519`, 1.3.101.112 (RFC 8410).
const OID: &[u8] = &[0x2b, 0x65, 0x70];
const SPEC: KeySpec = KeySpec::EccNistEdwards25519;
const KEY_FAILED: CryptoError = CryptoError::new("set up an Ed25519 key");

/// An Ed25519 private key: a 32-byte seed and what follows from it.
pub struct Ed25519Material {
    seed: SecretBytes<32>,
    pair: Ed25519KeyPair,
    prehashed: Box<ed25519_dalek::SigningKey>,
    public: PublicKey,
}

impl Ed25519Material {
    pub(crate) fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        Self::from_seed(SecretBytes::random(random)?).ok_or(KEY_FAILED)
    }

    pub(crate) fn from_seed(seed: SecretBytes<32>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()?;
        let der = PublicKeyInfo::encode(OID, pair.public_key().as_ref());
        let public = PublicKey::from_der(SPEC, &der).ok()?;
        let prehashed = Box::new(ed25519_dalek::SigningKey::from_bytes(seed.expose()));
        Some(Self { seed, pair, prehashed, public })
    }

    /// The key in this PKCS#8 document, version 1 or 2 (RFC 8410 §7).
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        if PrivateKeyInfo::parse(pkcs8)?.algorithm != OID {
            return None;
        }
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        let seed = pair.seed().ok()?.as_be_bytes().ok()?;
        Self::from_seed(SecretBytes::copy_from(seed.as_ref())?)
    }

    /// The PKCS#8 document, version 1, without the public key.
    pub(crate) fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KEY_FAILED)?;
        Ok(SecretVec::copy_from(document.as_ref()))
    }

    pub(crate) fn seed(&self) -> &SecretBytes<32> {
        &self.seed
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        input: &Input<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("sign with Ed25519");
        let Input::Message(message) = input else { return Err(FAILED) };
        if algorithm == SigningAlgorithm::Ed25519PhSha512 {
            let hash = Sha512::new_with_prefix(message);
            let signature = self.prehashed.sign_prehashed(hash, None).map_err(|_| FAILED)?;
            return Ok(signature.to_bytes().to_vec());
        }
        let signature = self.pair.try_sign(message).map_err(|_| FAILED)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// An Ed25519 public key.
pub(crate) struct Ed25519PublicKey {
    pure: ParsedPublicKey,
    prehashed: Box<ed25519_dalek::VerifyingKey>,
}

impl Ed25519PublicKey {
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        let info = PublicKeyInfo::parse(der)?;
        if info.algorithm != OID || !info.parameters.is_empty() {
            return None;
        }
        let key: &[u8; 32] = info.key.try_into().ok()?;
        Some(Self {
            pure: ParsedPublicKey::new(&ED25519, key).ok()?,
            prehashed: Box::new(ed25519_dalek::VerifyingKey::from_bytes(key).ok()?),
        })
    }

    pub(crate) fn verifies(
        &self,
        algorithm: SigningAlgorithm,
        input: &Input<'_>,
        signature: &[u8],
    ) -> bool {
        let Input::Message(message) = input else { return false };
        if algorithm != SigningAlgorithm::Ed25519PhSha512 {
            return self.pure.verify_sig(message, signature).is_ok();
        }
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
        let hash = Sha512::new_with_prefix(message);
        self.prehashed.verify_prehashed_strict(hash, None, &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// RFC 8032 §7.3: the message `abc`, prehashed.
    #[test]
    fn the_prehashed_form_gives_the_signature_of_the_rfc() {
        let mut seed =
            hex::array("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
        let key = Ed25519Material::from_seed(SecretBytes::take(&mut seed)).unwrap();
        let public = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf";
        assert!(key.public.as_der().ends_with(&hex::decode(public)));
        let expected = hex::decode(
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41
             31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
        );
        let algorithm = SigningAlgorithm::Ed25519PhSha512;
        let signature = key.sign(algorithm, &Input::Message(b"abc")).unwrap();
        assert_eq!(signature, expected);
    }
}
