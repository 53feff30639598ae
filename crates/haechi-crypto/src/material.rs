//! Key material of KMS keys, and the token in which it is stored.
//!
//! A KMS key is a container of key materials (AWS: hardware-bound keys, HBKs): rotation adds one,
//! old ones only decrypt. Material is stored as a token sealed under the keyring, with everything
//! that says what it may be used for as AAD: a database writer cannot make one account's material
//! serve another's key, or an HMAC key encrypt. Material is cached unwrapped in memory only.
//!
//! What a token seals is one byte that names the key spec, then the secret:
//!
//! | specs | secret |
//! |---|---|
//! | `SYMMETRIC_DEFAULT`, `HMAC_*` | the key: 32; 28, 32, 48, 64 bytes |
//! | `RSA_*`, `ECC_NIST_P*`, `ECC_SECG_P256K1` | PKCS#8 DER |
//! | `ECC_NIST_EDWARDS25519`, `ML_DSA_*` | the seed: 32 bytes |
//! | `ML_KEM_*` | the seed d ‖ z: 64 bytes |
//!
//! The byte must be the spec of the context, and is bound a second time by the AAD.

mod operations;

use aws_lc_rs::digest;

use crate::canonical::{length_u32, push_field};
use crate::ed25519::Ed25519Material;
use crate::elliptic_curve::EllipticCurveMaterial;
use crate::hmac::HmacMaterial;
use crate::keyring::{Keyring, KeyringError, Purpose};
use crate::ml_dsa::MlDsaMaterial;
use crate::ml_kem::MlKemMaterial;
use crate::rsa::RsaMaterial;
use crate::{CryptoError, KeySpec, PublicKey, Random, SecretBytes, SecretVec, derive};

const TOKEN_LABEL: &[u8] = b"haechi/key-material/v1";
const FINGERPRINT_LABEL: &[u8] = b"haechi/key-material-fingerprint/v1";

/// What a token is bound to. The same values must be given to unwrap it; AWS's names for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialContext<'a> {
    /// 12-digit account id.
    pub account: &'a str,
    /// Id of the KMS key (not its ARN: replicas of a multi-Region key share material).
    pub key_id: &'a str,
    /// Id of this material within the key (`KeyMaterialId`).
    pub material_id: &'a str,
    /// `KeySpec`, such as `SYMMETRIC_DEFAULT`.
    pub spec: &'a str,
    /// `KeyUsage`, such as `ENCRYPT_DECRYPT`.
    pub usage: &'a str,
    /// `Origin`, such as `AWS_KMS` or `EXTERNAL`.
    pub origin: &'a str,
}

impl MaterialContext<'_> {
    /// Label, number of fields, then each field with its length.
    pub(crate) fn aad(&self) -> Vec<u8> {
        let fields =
            [self.account, self.key_id, self.material_id, self.spec, self.usage, self.origin];
        let mut aad = Vec::with_capacity(192);
        push_field(&mut aad, TOKEN_LABEL);
        aad.extend_from_slice(&length_u32(fields.len()).to_be_bytes());
        for field in fields {
            push_field(&mut aad, field.as_bytes());
        }
        aad
    }
}

/// Why a token could not be made or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// It opened, but its content is of a kind that this version does not know.
    #[error("the key-material token holds kind {kind}; start a haechi that knows it")]
    UnknownKind {
        /// The kind byte; 0 for an empty token.
        kind: u8,
    },
    /// The material is of one spec, the context names another.
    #[error("the key material is {}, but the context says {context}", material.name())]
    SpecMismatch {
        /// What the material is.
        material: KeySpec,
        /// What the context names.
        context: String,
    },
    /// It opened and is of a known kind, but is no valid key. Only a defect could have stored it.
    #[error("the key-material token of a {} key holds no such key; restore it from a backup", spec.name())]
    InvalidMaterial {
        /// What the token claims to hold.
        spec: KeySpec,
    },
    /// The keyring refused it: changed, or bound to another key, account, spec, usage or origin.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Unwrapped key material. One variant per family of key specs. What it can do: [`Self::sign`],
/// [`Self::decrypt`], [`Self::derive_shared_secret`], [`Self::decapsulate`] and, for what needs no
/// secret, [`Self::public_key`].
#[non_exhaustive]
pub enum KeyMaterial {
    /// `SYMMETRIC_DEFAULT`.
    Symmetric(SymmetricMaterial),
    /// `HMAC_*`.
    Hmac(Box<HmacMaterial>),
    /// `RSA_*`.
    Rsa(Box<RsaMaterial>),
    /// `ECC_NIST_P256`, `ECC_NIST_P384`, `ECC_NIST_P521`, `ECC_SECG_P256K1`.
    EllipticCurve(Box<EllipticCurveMaterial>),
    /// `ECC_NIST_EDWARDS25519`.
    Ed25519(Box<Ed25519Material>),
    /// `ML_DSA_*`.
    MlDsa(Box<MlDsaMaterial>),
    /// `ML_KEM_*`.
    MlKem(Box<MlKemMaterial>),
}

/// A 256-bit symmetric key, from which each call derives its own ([`crate::ciphertext`]).
pub struct SymmetricMaterial(SecretBytes<32>);

impl SymmetricMaterial {
    /// Fresh random material.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        Ok(Self::new(SecretBytes::random(random)?))
    }

    /// Material from given bytes: imported, or unwrapped.
    #[must_use]
    pub const fn new(secret: SecretBytes<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn secret(&self) -> &SecretBytes<32> {
        &self.0
    }
}

/// In which form the secret of a spec is given.
#[derive(Clone, Copy)]
enum Form {
    /// As a token holds it.
    Stored,
    /// As a customer imports it: a symmetric key as it is, a private key as PKCS#8 DER.
    Imported,
}

impl KeyMaterial {
    /// Fresh material of any spec.
    ///
    /// Blocks: RSA takes tens of milliseconds (2048 bits) to a second (4096 bits), all others less
    /// than one. Where [`KeySpec::generates_slowly`], call it on a bounded pool for blocking work.
    ///
    /// RSA and the Weierstrass curves draw from AWS-LC's own generator, which is the one behind
    /// [`crate::SystemRandom`]; `random` is not asked for them.
    ///
    /// # Errors
    /// When randomness or the library fails.
    pub fn generate(spec: KeySpec, random: &dyn Random) -> Result<Self, CryptoError> {
        Ok(match spec {
            KeySpec::SymmetricDefault => Self::Symmetric(SymmetricMaterial::generate(random)?),
            KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
                Self::Hmac(Box::new(HmacMaterial::generate(spec, random)?))
            }
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                Self::Rsa(Box::new(RsaMaterial::generate(spec)?))
            }
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1 => {
                Self::EllipticCurve(Box::new(EllipticCurveMaterial::generate(spec)?))
            }
            KeySpec::EccNistEdwards25519 => {
                Self::Ed25519(Box::new(Ed25519Material::generate(random)?))
            }
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
                Self::MlDsa(Box::new(MlDsaMaterial::generate(spec, random)?))
            }
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                Self::MlKem(Box::new(MlKemMaterial::generate(spec, random)?))
            }
        })
    }

    /// Material that a customer brings, as AWS wants it: a symmetric or HMAC key as its bytes, a
    /// private key as PKCS#8 DER. `None` for whatever is not exactly one valid key of the spec.
    pub(crate) fn from_imported(spec: KeySpec, bytes: &[u8]) -> Option<Self> {
        Self::read(spec, Form::Imported, bytes)
    }

    fn read(spec: KeySpec, form: Form, bytes: &[u8]) -> Option<Self> {
        match spec {
            KeySpec::SymmetricDefault => {
                let secret = SecretBytes::copy_from(bytes)?;
                Some(Self::Symmetric(SymmetricMaterial::new(secret)))
            }
            KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
                HmacMaterial::new(spec, SecretVec::copy_from(bytes))
                    .map(|key| Self::Hmac(Box::new(key)))
            }
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                RsaMaterial::from_pkcs8(spec, bytes).map(|key| Self::Rsa(Box::new(key)))
            }
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1 => EllipticCurveMaterial::from_pkcs8(spec, bytes)
                .map(|key| Self::EllipticCurve(Box::new(key))),
            KeySpec::EccNistEdwards25519 => match form {
                Form::Stored => Ed25519Material::from_seed(SecretBytes::copy_from(bytes)?),
                Form::Imported => Ed25519Material::from_pkcs8(bytes),
            }
            .map(|key| Self::Ed25519(Box::new(key))),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => match form {
                Form::Stored => MlDsaMaterial::from_seed(spec, SecretBytes::copy_from(bytes)?),
                Form::Imported => MlDsaMaterial::from_pkcs8(spec, bytes),
            }
            .map(|key| Self::MlDsa(Box::new(key))),
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => match form {
                Form::Stored => MlKemMaterial::from_seed(spec, SecretBytes::copy_from(bytes)?),
                Form::Imported => MlKemMaterial::from_pkcs8(spec, bytes),
            }
            .map(|key| Self::MlKem(Box::new(key))),
        }
    }

    /// The spec.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        match self {
            Self::Symmetric(_) => KeySpec::SymmetricDefault,
            Self::Hmac(key) => key.spec(),
            Self::Rsa(key) => key.public_key().spec(),
            Self::EllipticCurve(key) => key.public_key().spec(),
            Self::Ed25519(key) => key.public_key().spec(),
            Self::MlDsa(key) => key.public_key().spec(),
            Self::MlKem(key) => key.public_key().spec(),
        }
    }

    /// The token to store, bound to `context`.
    ///
    /// # Errors
    /// When the context names another spec, or the keyring cannot seal.
    pub fn wrap(
        &self,
        keyring: &Keyring,
        context: &MaterialContext<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, MaterialError> {
        let plaintext = self.coded(context)?;
        Ok(keyring.seal_for(Purpose::KeyMaterial, &context.aad(), plaintext.expose(), random)?)
    }

    /// Opens a token; `context` must be the one that it was made with. A private key is parsed and
    /// checked, which takes up to a few milliseconds for RSA: cache what this returns.
    ///
    /// # Errors
    /// When the token is not authentic for this context, or of an unknown kind.
    pub fn unwrap(
        keyring: &Keyring,
        context: &MaterialContext<'_>,
        token: &[u8],
    ) -> Result<Self, MaterialError> {
        let plaintext = keyring.open_for(Purpose::KeyMaterial, &context.aad(), token)?;
        Self::decoded(plaintext.expose(), context)
    }

    /// What is sealed: the byte that names the spec, then the secret.
    pub(crate) fn coded(&self, context: &MaterialContext<'_>) -> Result<SecretVec, MaterialError> {
        let spec = self.spec();
        spec_agrees(spec, context)?;
        let stored = self.stored()?;
        Ok(SecretVec::join(&[&[spec.code()], stored.expose()]))
    }

    /// Reads what [`Self::coded`] wrote.
    pub(crate) fn decoded(
        plaintext: &[u8],
        context: &MaterialContext<'_>,
    ) -> Result<Self, MaterialError> {
        let (kind, secret) =
            plaintext.split_first().ok_or(MaterialError::UnknownKind { kind: 0 })?;
        let known = KeySpec::ALL.into_iter().find(|spec| spec.code() == *kind);
        let spec = known.ok_or(MaterialError::UnknownKind { kind: *kind })?;
        spec_agrees(spec, context)?;
        Self::read(spec, Form::Stored, secret).ok_or(MaterialError::InvalidMaterial { spec })
    }

    /// Whether two materials are the same key: the same bytes for a symmetric or HMAC key, the same
    /// key pair otherwise, however it was encoded. For `ImportKeyMaterial`, which takes the same
    /// material again but no other. One-way, but tests a guess: store it sealed only.
    ///
    /// # Errors
    /// When the library fails.
    pub fn fingerprint(&self) -> Result<[u8; 32], CryptoError> {
        let mut input = Vec::with_capacity(96);
        push_field(&mut input, FINGERPRINT_LABEL);
        push_field(&mut input, self.spec().name().as_bytes());
        if let Some(public) = self.public_key() {
            push_field(&mut input, public.as_der());
            let hash = digest::digest(&digest::SHA256, &input);
            let failed = CryptoError::new("fingerprint a key");
            return hash.as_ref().try_into().map_err(|_| failed);
        }
        let mut out = [0; 32];
        derive::kbkdf(self.stored()?.expose(), &input, &mut out)?;
        Ok(out)
    }

    /// The public half of a key pair.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        match self {
            Self::Symmetric(_) | Self::Hmac(_) => None,
            Self::Rsa(key) => Some(key.public_key()),
            Self::EllipticCurve(key) => Some(key.public_key()),
            Self::Ed25519(key) => Some(key.public_key()),
            Self::MlDsa(key) => Some(key.public_key()),
            Self::MlKem(key) => Some(key.public_key()),
        }
    }

    /// The private half of a key pair as PKCS#8 DER (RFC 5958), for `GenerateDataKeyPair` alone:
    /// no KMS key's private half may leave. ML-DSA and ML-KEM keys are seeds.
    ///
    /// # Errors
    /// When the library fails.
    pub fn private_key_der(&self) -> Result<Option<SecretVec>, CryptoError> {
        match self {
            Self::Symmetric(_) | Self::Hmac(_) => Ok(None),
            Self::Rsa(key) => key.to_pkcs8().map(Some),
            Self::EllipticCurve(key) => key.to_pkcs8().map(Some),
            Self::Ed25519(key) => key.to_pkcs8().map(Some),
            Self::MlDsa(key) => key.to_pkcs8().map(Some),
            Self::MlKem(key) => key.to_pkcs8().map(Some),
        }
    }

    /// The secret as a token holds it.
    fn stored(&self) -> Result<SecretVec, CryptoError> {
        Ok(match self {
            Self::Symmetric(key) => SecretVec::copy_from(key.secret().expose()),
            Self::Hmac(key) => SecretVec::copy_from(key.secret().expose()),
            Self::Rsa(key) => key.to_pkcs8()?,
            Self::EllipticCurve(key) => key.to_pkcs8()?,
            Self::Ed25519(key) => SecretVec::copy_from(key.seed().expose()),
            Self::MlDsa(key) => SecretVec::copy_from(key.seed().expose()),
            Self::MlKem(key) => SecretVec::copy_from(key.seed().expose()),
        })
    }
}

fn spec_agrees(spec: KeySpec, context: &MaterialContext<'_>) -> Result<(), MaterialError> {
    if spec.name() == context.spec {
        return Ok(());
    }
    Err(MaterialError::SpecMismatch { material: spec, context: context.spec.to_owned() })
}

#[cfg(test)]
mod tests;
