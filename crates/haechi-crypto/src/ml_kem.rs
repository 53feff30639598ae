//! ML-KEM (FIPS 203): `Encapsulate` and `Decapsulate`.
//!
//! Both operations are aws-lc-rs. It takes expanded private keys only, while AWS gives private keys
//! away as seeds; the crate `ml-kem` expands a seed (FIPS 203 Algorithm 16), and does nothing else.
//!
//! | spec | public key | ciphertext |
//! |---|---|---|
//! | `ML_KEM_512` | 800 B | 768 B |
//! | `ML_KEM_768` | 1184 B | 1088 B |
//! | `ML_KEM_1024` | 1568 B | 1568 B |

use aws_lc_rs::kem::{self, Ciphertext};
#[expect(deprecated, reason = "aws-lc-rs takes the expanded form only")]
use ml_kem::ExpandedKeyEncoding;
use ml_kem::{MlKem512, MlKem768, MlKem1024};
use zeroize::Zeroize;

use crate::der::{PrivateKeyInfo, PublicKeyInfo, SeedKey};
use crate::{CryptoError, KeySpec, PublicKey, Random, SecretBytes, SecretVec};

/// Bytes of a shared secret.
pub const SHARED_SECRET_BYTES: usize = 32;
/// Bytes at the end of an expanded private key, after the public key: its hash, and z.
const EXPANDED_TAIL_BYTES: usize = 64;
const KEY_FAILED: CryptoError = CryptoError::new("set up an ML-KEM key");

/// Why nothing was decapsulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecapsulateError {
    /// The key is not an ML-KEM key.
    #[error("{} keys encapsulate no shared secret", spec.name())]
    UnsupportedSpec {
        /// The key's spec.
        spec: KeySpec,
    },
    /// A ciphertext of the wrong length; every other ciphertext gives some secret.
    #[error("the encapsulated secret must have {expected} bytes, not {length}")]
    CiphertextLength {
        /// Bytes that the spec demands.
        expected: usize,
        /// Bytes given.
        length: usize,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why nothing was encapsulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncapsulateError {
    /// The key is not an ML-KEM key.
    #[error("{} keys encapsulate no shared secret", spec.name())]
    UnsupportedSpec {
        /// The key's spec.
        spec: KeySpec,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A shared secret and the ciphertext from which the private key's holder recovers it.
pub struct Encapsulation {
    /// `SharedSecretCiphertextBlob`.
    pub ciphertext: Vec<u8>,
    /// `SharedSecret`.
    pub shared_secret: SecretBytes<SHARED_SECRET_BYTES>,
}

/// Content of `id-alg-ml-kem-512`, `-768` or `-1024` (RFC 9935 §3).
fn oid(spec: KeySpec) -> Option<[u8; 9]> {
    let last = match spec {
        KeySpec::MlKem512 => 1,
        KeySpec::MlKem768 => 2,
        KeySpec::MlKem1024 => 3,
        _ => return None,
    };
    Some([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, last])
}

fn algorithm(spec: KeySpec) -> Option<&'static kem::Algorithm<kem::AlgorithmId>> {
    match spec {
        KeySpec::MlKem512 => Some(&kem::ML_KEM_512),
        KeySpec::MlKem768 => Some(&kem::ML_KEM_768),
        KeySpec::MlKem1024 => Some(&kem::ML_KEM_1024),
        _ => None,
    }
}

/// Bytes of public key and ciphertext.
fn lengths(spec: KeySpec) -> Option<(usize, usize)> {
    match spec {
        KeySpec::MlKem512 => Some((800, 768)),
        KeySpec::MlKem768 => Some((1184, 1088)),
        KeySpec::MlKem1024 => Some((1568, 1568)),
        _ => None,
    }
}

/// An ML-KEM private key: the seed d ‖ z and what follows from it.
pub struct MlKemMaterial {
    seed: SecretBytes<64>,
    key: kem::DecapsulationKey<kem::AlgorithmId>,
    public: PublicKey,
}

impl MlKemMaterial {
    pub(crate) fn generate(spec: KeySpec, random: &dyn Random) -> Result<Self, CryptoError> {
        Self::from_seed(spec, SecretBytes::random(random)?).ok_or(KEY_FAILED)
    }

    pub(crate) fn from_seed(spec: KeySpec, seed: SecretBytes<64>) -> Option<Self> {
        let expanded = expand(spec, &seed)?;
        let (public_bytes, _) = lengths(spec)?;
        // FIPS 203 Algorithm 16: dk = dkPKE ‖ ek ‖ H(ek) ‖ z.
        let end = expanded.len().checked_sub(EXPANDED_TAIL_BYTES)?;
        let encapsulating = expanded.expose().get(end.checked_sub(public_bytes)?..end)?;
        let der = PublicKeyInfo::encode(&oid(spec)?, encapsulating);
        let public = PublicKey::from_der(spec, &der).ok()?;
        let key = kem::DecapsulationKey::new(algorithm(spec)?, expanded.expose()).ok()?;
        Some(Self { seed, key, public })
    }

    /// The key in this PKCS#8 document (RFC 9935 §6): as a seed, or as a seed with the expanded key
    /// that belongs to it. An expanded key alone is not taken.
    pub(crate) fn from_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Option<Self> {
        let info = PrivateKeyInfo::parse(pkcs8)?;
        if info.algorithm != oid(spec)? {
            return None;
        }
        let key = SeedKey::parse(info.key)?;
        let seed = SecretBytes::copy_from(key.seed)?;
        if let Some(given) = key.expanded
            && expand(spec, &seed)? != SecretVec::copy_from(given)
        {
            return None;
        }
        Self::from_seed(spec, seed)
    }

    /// The PKCS#8 document with the seed: 86 bytes for every spec, as AWS documents.
    pub(crate) fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        let oid = oid(self.public.spec()).ok_or(KEY_FAILED)?;
        let frame = PrivateKeyInfo::seed_frame(&oid, self.seed.expose().len());
        Ok(SecretVec::join(&[&frame, self.seed.expose()]))
    }

    pub(crate) fn seed(&self) -> &SecretBytes<64> {
        &self.seed
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A ciphertext made for another key, or changed, gives a secret that nobody else has
    /// (implicit rejection): only the length can be wrong.
    pub(crate) fn decapsulate(
        &self,
        ciphertext: &[u8],
    ) -> Result<SecretBytes<SHARED_SECRET_BYTES>, DecapsulateError> {
        const FAILED: CryptoError = CryptoError::new("decapsulate with ML-KEM");
        let (_, expected) = lengths(self.public.spec()).ok_or(FAILED)?;
        let length = ciphertext.len();
        if length != expected {
            return Err(DecapsulateError::CiphertextLength { expected, length });
        }
        let secret = self.key.decapsulate(Ciphertext::from(ciphertext)).map_err(|_| FAILED)?;
        Ok(SecretBytes::copy_from(secret.as_ref()).ok_or(FAILED)?)
    }
}

/// The expanded private key of a seed.
#[expect(deprecated, reason = "aws-lc-rs takes the expanded form only")]
fn expand(spec: KeySpec, seed: &SecretBytes<64>) -> Option<SecretVec> {
    let mut given = ml_kem::Seed::from(*seed.expose());
    let expanded = match spec {
        KeySpec::MlKem512 => {
            wiped(ml_kem::DecapsulationKey::<MlKem512>::from_seed(given).to_expanded_bytes())
        }
        KeySpec::MlKem768 => {
            wiped(ml_kem::DecapsulationKey::<MlKem768>::from_seed(given).to_expanded_bytes())
        }
        KeySpec::MlKem1024 => {
            wiped(ml_kem::DecapsulationKey::<MlKem1024>::from_seed(given).to_expanded_bytes())
        }
        _ => return None,
    };
    given.as_mut_slice().zeroize();
    Some(expanded)
}

/// Moves secret bytes to the heap and wipes where they were.
fn wiped(mut source: impl AsMut<[u8]>) -> SecretVec {
    let secret = SecretVec::copy_from(source.as_mut());
    source.as_mut().zeroize();
    secret
}

/// An ML-KEM public key.
pub(crate) struct MlKemPublicKey(kem::EncapsulationKey<kem::AlgorithmId>);

impl MlKemPublicKey {
    pub(crate) fn from_der(spec: KeySpec, der: &[u8]) -> Option<Self> {
        let info = PublicKeyInfo::parse(der)?;
        if info.algorithm != oid(spec)? || !info.parameters.is_empty() {
            return None;
        }
        let key = kem::EncapsulationKey::new(algorithm(spec)?, info.key).ok()?;
        // The modulus check of FIPS 203 §7.2 happens when the key is used.
        key.encapsulate().ok()?;
        Some(Self(key))
    }

    pub(crate) fn encapsulate(&self) -> Result<Encapsulation, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("encapsulate with ML-KEM");
        let (ciphertext, secret) = self.0.encapsulate().map_err(|_| FAILED)?;
        let shared_secret = SecretBytes::copy_from(secret.as_ref()).ok_or(FAILED)?;
        Ok(Encapsulation { ciphertext: ciphertext.as_ref().to_vec(), shared_secret })
    }
}

#[cfg(test)]
mod tests;
