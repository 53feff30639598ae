//! `Encrypt` and `Decrypt` with a key pair: RSAES-OAEP (RFC 8017 §7.1), label empty, the mask made
//! with the same hash. Longest plaintext: modulus − 2·hash − 2 bytes.
//!
//! | key | `RSAES_OAEP_SHA_1` | `RSAES_OAEP_SHA_256` |
//! |---|---|---|
//! | `RSA_2048` | 214 | 190 |
//! | `RSA_3072` | 342 | 318 |
//! | `RSA_4096` | 470 | 446 |

use crate::{CryptoError, KeySpec};

/// An encryption algorithm of RSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncryptionAlgorithm {
    /// `RSAES_OAEP_SHA_1`.
    RsaesOaepSha1,
    /// `RSAES_OAEP_SHA_256`.
    RsaesOaepSha256,
}

impl EncryptionAlgorithm {
    /// Every algorithm, in the order in which AWS lists them.
    pub const ALL: [Self; 2] = [Self::RsaesOaepSha1, Self::RsaesOaepSha256];

    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaesOaepSha1 => "RSAES_OAEP_SHA_1",
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
        }
    }

    /// The algorithm of this name; `None` for `SYMMETRIC_DEFAULT`, `SM2PKE` and all others.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Why a plaintext was not encrypted under a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AsymmetricEncryptError {
    /// The key does not encrypt: not an RSA key.
    #[error("{} keys have no encryption algorithm {}", spec.name(), algorithm.name())]
    UnsupportedAlgorithm {
        /// The key's spec.
        spec: KeySpec,
        /// What was asked for.
        algorithm: EncryptionAlgorithm,
    },
    /// Longer than this key and algorithm take.
    #[error("{} with this key takes at most {max} bytes, not {length}", algorithm.name())]
    TooLong {
        /// What was asked for.
        algorithm: EncryptionAlgorithm,
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why nothing was decrypted with a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AsymmetricDecryptError {
    /// The key does not decrypt: not an RSA key.
    #[error("{} keys have no encryption algorithm {}", spec.name(), algorithm.name())]
    UnsupportedAlgorithm {
        /// The key's spec.
        spec: KeySpec,
        /// What was asked for.
        algorithm: EncryptionAlgorithm,
    },
    /// Nothing more is ever said.
    #[error(transparent)]
    Invalid(#[from] InvalidRsaCiphertext),
}

/// The one error of everything that is wrong with an RSA ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext is invalid for this key and algorithm")]
pub struct InvalidRsaCiphertext;
