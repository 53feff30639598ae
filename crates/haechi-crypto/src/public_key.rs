//! The public half of a key pair: everything that needs no secret.
//!
//! Parsed once and kept, because parsing costs as much as a fast verification. It reads and gives
//! the DER `SubjectPublicKeyInfo` (RFC 5280) that `GetPublicKey` returns.

use crate::KeySpec;
use crate::ed25519::Ed25519PublicKey;
use crate::elliptic_curve::EllipticCurvePublicKey;
use crate::encryption::{AsymmetricEncryptError, EncryptionAlgorithm};
use crate::ml_dsa::MlDsaPublicKey;
use crate::ml_kem::{EncapsulateError, Encapsulation, MlKemPublicKey};
use crate::rsa::RsaPublicKey;
use crate::signing::{Input, MessageType, SigningAlgorithm, VerifyError};

/// The bytes are not a public key of the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a DER SubjectPublicKeyInfo of a {} key", spec.name())]
pub struct InvalidPublicKey {
    /// The spec that was expected.
    pub spec: KeySpec,
}

/// A public key of KMS.
pub struct PublicKey {
    spec: KeySpec,
    der: Vec<u8>,
    key: Key,
}

enum Key {
    Rsa(Box<RsaPublicKey>),
    EllipticCurve(EllipticCurvePublicKey),
    Ed25519(Ed25519PublicKey),
    MlDsa(MlDsaPublicKey),
    MlKem(MlKemPublicKey),
}

impl Key {
    fn parse(spec: KeySpec, der: &[u8]) -> Option<Self> {
        match spec {
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                RsaPublicKey::from_der(spec, der).map(|key| Self::Rsa(Box::new(key)))
            }
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1 => {
                EllipticCurvePublicKey::from_der(spec, der).map(Self::EllipticCurve)
            }
            KeySpec::EccNistEdwards25519 => Ed25519PublicKey::from_der(der).map(Self::Ed25519),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
                MlDsaPublicKey::from_der(spec, der).map(Self::MlDsa)
            }
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                MlKemPublicKey::from_der(spec, der).map(Self::MlKem)
            }
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => None,
        }
    }
}

impl PublicKey {
    /// Parses and validates any bytes; total.
    ///
    /// # Errors
    /// When they are not exactly one DER `SubjectPublicKeyInfo` with a valid key of the spec.
    pub fn from_der(spec: KeySpec, der: &[u8]) -> Result<Self, InvalidPublicKey> {
        let key = Key::parse(spec, der).ok_or(InvalidPublicKey { spec })?;
        Ok(Self { spec, der: der.to_vec(), key })
    }

    /// The key's spec.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The DER `SubjectPublicKeyInfo`: `PublicKey` of `GetPublicKey`.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Verifies a signature: `Verify`. Total on any signature.
    ///
    /// # Errors
    /// [`VerifyError::Request`] when algorithm, message type and message do not fit together or the
    /// key; [`VerifyError::InvalidSignature`] for every other cause.
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let input = Input::check(self.spec, algorithm, message_type, message)?;
        let valid = match &self.key {
            Key::Rsa(key) => key.verifies(algorithm, &input, signature),
            Key::EllipticCurve(key) => key.verifies(&input, signature),
            Key::Ed25519(key) => key.verifies(algorithm, &input, signature),
            Key::MlDsa(key) => key.verifies(&input, signature),
            Key::MlKem(_) => false,
        };
        if valid { Ok(()) } else { Err(VerifyError::InvalidSignature) }
    }

    /// Encrypts with RSAES-OAEP: `Encrypt`. Lengths: see [`crate::encryption`].
    ///
    /// # Errors
    /// When the key is no RSA key, or the plaintext is too long, or the library fails.
    pub fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AsymmetricEncryptError> {
        match &self.key {
            Key::Rsa(key) => key.encrypt(algorithm, plaintext),
            _ => Err(AsymmetricEncryptError::UnsupportedAlgorithm { spec: self.spec, algorithm }),
        }
    }

    /// Makes a shared secret and its ciphertext: `Encapsulate`. Randomness is AWS-LC's own.
    ///
    /// # Errors
    /// When the key is no ML-KEM key, or the library fails.
    pub fn encapsulate(&self) -> Result<Encapsulation, EncapsulateError> {
        match &self.key {
            Key::MlKem(key) => Ok(key.encapsulate()?),
            _ => Err(EncapsulateError::UnsupportedSpec { spec: self.spec }),
        }
    }
}
