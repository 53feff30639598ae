//! Key material that a customer brings: `GetParametersForImport`, `ImportKeyMaterial`.
//!
//! The customer encrypts the material under an RSA wrapping key made for this one import:
//!
//! ```text
//! RSAES_OAEP_*          OAEP(material)
//! RSA_AES_KEY_WRAP_*    OAEP(AES-256 key) ‖ AES-KWP(AES-256 key, material)     (RFC 5649)
//! ```
//! `RSAES_PKCS1_V1_5` is refused, as AWS does since October 2023: it invites a padding oracle.
//!
//! **One error for every cause.** Where OAEP fails in the second form, the rest is unwrapped under a
//! key of zeros all the same, which AES-KWP refuses: what failed shows neither in answer nor time.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};

use crate::keyring::{Keyring, KeyringError, Purpose};
use crate::rsa::RsaMaterial;
use crate::{
    CryptoError, EncryptionAlgorithm, KeyMaterial, KeySpec, PublicKey, Random, SecretBytes,
    SecretVec,
};

const LABEL: &[u8] = b"haechi/import-wrapping-key/v1";
const AES_KEY_BYTES: usize = 32;
/// AWS's own limit of `EncryptedKeyMaterial`.
pub const WRAPPED_BYTES_MAX: usize = 6144;

/// Size of a wrapping key: `WrappingKeySpec`. `SM2` is missing, as in [`KeySpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrappingKeySpec {
    /// `RSA_2048`.
    Rsa2048,
    /// `RSA_3072`.
    Rsa3072,
    /// `RSA_4096`.
    Rsa4096,
}

impl WrappingKeySpec {
    /// Every spec.
    pub const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.key_spec().name()
    }

    /// The spec of this name; `None` for `SM2` and everything unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spec| spec.name() == name)
    }

    const fn key_spec(self) -> KeySpec {
        match self {
            Self::Rsa2048 => KeySpec::Rsa2048,
            Self::Rsa3072 => KeySpec::Rsa3072,
            Self::Rsa4096 => KeySpec::Rsa4096,
        }
    }
}

/// How the material is wrapped: `WrappingAlgorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrappingAlgorithm {
    /// `RSAES_OAEP_SHA_1`.
    RsaesOaepSha1,
    /// `RSAES_OAEP_SHA_256`.
    RsaesOaepSha256,
    /// `RSA_AES_KEY_WRAP_SHA_1`.
    RsaAesKeyWrapSha1,
    /// `RSA_AES_KEY_WRAP_SHA_256`.
    RsaAesKeyWrapSha256,
}

impl WrappingAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [
        Self::RsaesOaepSha1,
        Self::RsaesOaepSha256,
        Self::RsaAesKeyWrapSha1,
        Self::RsaAesKeyWrapSha256,
    ];

    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaesOaepSha1 => "RSAES_OAEP_SHA_1",
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
            Self::RsaAesKeyWrapSha1 => "RSA_AES_KEY_WRAP_SHA_1",
            Self::RsaAesKeyWrapSha256 => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }

    /// The algorithm of this name; `None` for `RSAES_PKCS1_V1_5`, `SM2PKE` and everything unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether material of `spec` can be imported with this algorithm under such a wrapping key.
    /// AWS: RSA keys by key wrap only; P-521 not by OAEP under `RSA_2048`, where it does not fit.
    /// Key wrap takes every spec here, though AWS names RSA and ECC alone.
    #[must_use]
    pub const fn wraps(self, wrapping_key: WrappingKeySpec, spec: KeySpec) -> bool {
        match self {
            Self::RsaAesKeyWrapSha1 | Self::RsaAesKeyWrapSha256 => true,
            Self::RsaesOaepSha1 | Self::RsaesOaepSha256 => {
                let too_long = matches!(wrapping_key, WrappingKeySpec::Rsa2048)
                    && matches!(spec, KeySpec::EccNistP521);
                !spec.is_rsa() && !too_long
            }
        }
    }

    const fn oaep(self) -> EncryptionAlgorithm {
        match self {
            Self::RsaesOaepSha1 | Self::RsaAesKeyWrapSha1 => EncryptionAlgorithm::RsaesOaepSha1,
            Self::RsaesOaepSha256 | Self::RsaAesKeyWrapSha256 => {
                EncryptionAlgorithm::RsaesOaepSha256
            }
        }
    }
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The algorithm cannot carry this kind of key; see [`WrappingAlgorithm::wraps`].
    #[error(
        "{} under {} does not carry {} key material; use an RSA_AES_KEY_WRAP algorithm",
        algorithm.name(), wrapping_key.name(), spec.name()
    )]
    UnsupportedCombination {
        /// What was asked for.
        algorithm: WrappingAlgorithm,
        /// The wrapping key's spec.
        wrapping_key: WrappingKeySpec,
        /// The spec of the key to import into.
        spec: KeySpec,
    },
    /// Everything that is wrong with the wrapped bytes, or with what is in them.
    #[error(
        "the key material is not what the key needs, or is not wrapped under the public key and \
         algorithm of this import; get new parameters and wrap it again"
    )]
    InvalidKeyMaterial,
    /// A stored wrapping key was changed, or belongs to another import.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// An RSA key pair for one import.
pub struct WrappingKey {
    spec: WrappingKeySpec,
    key: RsaMaterial,
}

impl WrappingKey {
    /// A new one. Blocks as long as any RSA key does: call it on a pool for blocking work.
    ///
    /// # Errors
    /// When the library fails.
    pub fn generate(spec: WrappingKeySpec) -> Result<Self, CryptoError> {
        Ok(Self { spec, key: RsaMaterial::generate(spec.key_spec())? })
    }

    /// Its spec.
    #[must_use]
    pub fn spec(&self) -> WrappingKeySpec {
        self.spec
    }

    /// The public half, for the customer.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The sealed key pair, to be stored or to be put into the import token: at most 2.5 KB.
    /// `binding` is whatever it must be bound to: account, key id, algorithm, time of expiry.
    ///
    /// # Errors
    /// When the keyring cannot seal.
    pub fn wrap(
        &self,
        keyring: &Keyring,
        binding: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, ImportError> {
        let pkcs8 = self.key.to_pkcs8()?;
        let plaintext = SecretVec::join(&[&[self.spec.key_spec().code()], pkcs8.expose()]);
        let aad = [LABEL, binding].concat();
        Ok(keyring.seal_for(Purpose::KeyMaterial, &aad, plaintext.expose(), random)?)
    }

    /// Opens what [`Self::wrap`] made; `binding` must be the same.
    ///
    /// # Errors
    /// When it is not authentic for this binding.
    pub fn unwrap(keyring: &Keyring, binding: &[u8], sealed: &[u8]) -> Result<Self, ImportError> {
        let aad = [LABEL, binding].concat();
        let plaintext = keyring.open_for(Purpose::KeyMaterial, &aad, sealed)?;
        let (code, pkcs8) =
            plaintext.expose().split_first().ok_or(ImportError::InvalidKeyMaterial)?;
        let spec = WrappingKeySpec::ALL.into_iter().find(|spec| spec.key_spec().code() == *code);
        let spec = spec.ok_or(ImportError::InvalidKeyMaterial)?;
        let key = RsaMaterial::from_pkcs8(spec.key_spec(), pkcs8);
        Ok(Self { spec, key: key.ok_or(ImportError::InvalidKeyMaterial)? })
    }

    /// Unwraps, parses and validates `EncryptedKeyMaterial` for a key of `spec`. Blocks for one RSA
    /// private operation, and for as long as an imported RSA key takes to check.
    ///
    /// # Errors
    /// [`ImportError::UnsupportedCombination`] before anything is decrypted; else one error for
    /// every cause.
    pub fn unwrap_key_material(
        &self,
        algorithm: WrappingAlgorithm,
        spec: KeySpec,
        wrapped: &[u8],
    ) -> Result<KeyMaterial, ImportError> {
        let wrapping_key = self.spec;
        if !algorithm.wraps(wrapping_key, spec) {
            return Err(ImportError::UnsupportedCombination { algorithm, wrapping_key, spec });
        }
        let material = match algorithm {
            WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaesOaepSha256 => {
                self.key.decrypt(algorithm.oaep(), wrapped).ok()
            }
            WrappingAlgorithm::RsaAesKeyWrapSha1 | WrappingAlgorithm::RsaAesKeyWrapSha256 => {
                self.key_unwrap(algorithm.oaep(), wrapped)
            }
        };
        material
            .and_then(|material| KeyMaterial::from_imported(spec, material.expose()))
            .ok_or(ImportError::InvalidKeyMaterial)
    }

    fn key_unwrap(&self, oaep: EncryptionAlgorithm, wrapped: &[u8]) -> Option<SecretVec> {
        let modulus_bytes = match self.spec {
            WrappingKeySpec::Rsa2048 => 256,
            WrappingKeySpec::Rsa3072 => 384,
            WrappingKeySpec::Rsa4096 => 512,
        };
        if wrapped.len() > WRAPPED_BYTES_MAX {
            return None;
        }
        let (wrapped_key, wrapped_material) = wrapped.split_at_checked(modulus_bytes)?;
        let decrypted = self.key.decrypt(oaep, wrapped_key);
        let aes_key = decrypted.ok().and_then(|key| SecretBytes::copy_from(key.expose()));
        let valid = aes_key.is_some();
        let aes_key: SecretBytes<AES_KEY_BYTES> =
            aes_key.unwrap_or_else(|| SecretBytes::take(&mut [0; AES_KEY_BYTES]));

        let mut material = SecretVec::zero(wrapped_material.len());
        let key = AesKek::new(&AES_256, aes_key.expose()).ok()?;
        let length = key.unwrap_with_padding(wrapped_material, material.expose_mut()).ok()?.len();
        // A key of zeros is no secret: someone may have wrapped material under it on purpose.
        if !valid {
            return None;
        }
        material.expose().get(..length).map(SecretVec::copy_from)
    }
}

#[cfg(test)]
mod tests;
