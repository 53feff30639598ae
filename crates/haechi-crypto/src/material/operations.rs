//! What the private half of a key does.

use super::KeyMaterial;
use crate::elliptic_curve::AgreementError;
use crate::encryption::{AsymmetricDecryptError, EncryptionAlgorithm};
use crate::ml_kem::{DecapsulateError, SHARED_SECRET_BYTES};
use crate::signing::{Input, MessageType, SignError, SigningAlgorithm};
use crate::{HmacMaterial, Random, SecretBytes, SecretVec};

impl KeyMaterial {
    /// Signs: `Sign`. The message's length is the caller's to limit (AWS: 4096 bytes).
    ///
    /// `random` hedges ML-DSA with an external μ; the other algorithms draw from AWS-LC's own
    /// generator, or need no randomness.
    ///
    /// # Errors
    /// When algorithm, message type and message do not fit together or the key, or the library
    /// fails.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SignError> {
        let spec = self.spec();
        let input = Input::check(spec, algorithm, message_type, message)?;
        match self {
            Self::Rsa(key) => Ok(key.sign(algorithm, &input)?),
            Self::EllipticCurve(key) => Ok(key.sign(&input)?),
            Self::Ed25519(key) => Ok(key.sign(algorithm, &input)?),
            Self::MlDsa(key) => Ok(key.sign(&input, random)?),
            Self::Symmetric(_) | Self::Hmac(_) | Self::MlKem(_) => {
                Err(SignError::UnsupportedAlgorithm { spec, algorithm })
            }
        }
    }

    /// Decrypts with RSAES-OAEP: `Decrypt` with a key pair.
    ///
    /// # Errors
    /// When the key is no RSA key; else one error for whatever is wrong with the ciphertext.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<SecretVec, AsymmetricDecryptError> {
        match self {
            Self::Rsa(key) => Ok(key.decrypt(algorithm, ciphertext)?),
            _ => Err(AsymmetricDecryptError::UnsupportedAlgorithm { spec: self.spec(), algorithm }),
        }
    }

    /// Agrees on a secret with the holder of another key pair: `DeriveSharedSecret`. `peer` is a
    /// DER `SubjectPublicKeyInfo`. The secret is the raw x-coordinate (32, 48 or 66 bytes): not
    /// uniformly random, to be put through a key-derivation function by the caller.
    ///
    /// # Errors
    /// When the key is not on a NIST curve, or the peer's key is not on the same one.
    pub fn derive_shared_secret(&self, peer: &[u8]) -> Result<SecretVec, AgreementError> {
        match self {
            Self::EllipticCurve(key) => key.derive_shared_secret(peer),
            _ => Err(AgreementError::UnsupportedSpec { spec: self.spec() }),
        }
    }

    /// Recovers an encapsulated secret: `Decapsulate`. A ciphertext that was made for another key,
    /// or changed, gives a secret too, but one that nobody else has (implicit rejection).
    ///
    /// # Errors
    /// When the key is no ML-KEM key, or the ciphertext has the wrong length, or the library fails.
    pub fn decapsulate(
        &self,
        ciphertext: &[u8],
    ) -> Result<SecretBytes<SHARED_SECRET_BYTES>, DecapsulateError> {
        match self {
            Self::MlKem(key) => key.decapsulate(ciphertext),
            _ => Err(DecapsulateError::UnsupportedSpec { spec: self.spec() }),
        }
    }

    /// The HMAC key that it is, for `GenerateMac` and `VerifyMac`; `None` for every other spec.
    #[must_use]
    pub fn as_hmac(&self) -> Option<&HmacMaterial> {
        match self {
            Self::Hmac(key) => Some(key),
            _ => None,
        }
    }
}
