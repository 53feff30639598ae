//! What `Sign` and `Verify` have in common for all key specs: algorithms, message types, and the
//! checks that come before any key is touched.

use aws_lc_rs::digest::{self, Digest};

use crate::{CryptoError, KeySpec};

/// A signing algorithm of KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// `RSASSA_PSS_SHA_256` (RFC 8017 §8.1): MGF1 and salt length as the hash.
    RsassaPssSha256,
    /// `RSASSA_PSS_SHA_384`.
    RsassaPssSha384,
    /// `RSASSA_PSS_SHA_512`.
    RsassaPssSha512,
    /// `RSASSA_PKCS1_V1_5_SHA_256` (RFC 8017 §8.2).
    RsassaPkcs1V15Sha256,
    /// `RSASSA_PKCS1_V1_5_SHA_384`.
    RsassaPkcs1V15Sha384,
    /// `RSASSA_PKCS1_V1_5_SHA_512`.
    RsassaPkcs1V15Sha512,
    /// `ECDSA_SHA_256` (FIPS 186-5 §6), for P-256 and secp256k1; signatures are DER.
    EcdsaSha256,
    /// `ECDSA_SHA_384`, for P-384.
    EcdsaSha384,
    /// `ECDSA_SHA_512`, for P-521.
    EcdsaSha512,
    /// `ML_DSA_SHAKE_256` (FIPS 204), pure, with an empty context.
    MlDsaShake256,
    /// `ED25519_SHA_512` (RFC 8032), pure.
    Ed25519Sha512,
    /// `ED25519_PH_SHA_512`: Ed25519ph with an empty context. The message is itself a digest, and
    /// is hashed once more, as AWS documents.
    Ed25519PhSha512,
}

impl SigningAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 12] = [
        Self::RsassaPssSha256,
        Self::RsassaPssSha384,
        Self::RsassaPssSha512,
        Self::RsassaPkcs1V15Sha256,
        Self::RsassaPkcs1V15Sha384,
        Self::RsassaPkcs1V15Sha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::MlDsaShake256,
        Self::Ed25519Sha512,
        Self::Ed25519PhSha512,
    ];

    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsassaPssSha256 => "RSASSA_PSS_SHA_256",
            Self::RsassaPssSha384 => "RSASSA_PSS_SHA_384",
            Self::RsassaPssSha512 => "RSASSA_PSS_SHA_512",
            Self::RsassaPkcs1V15Sha256 => "RSASSA_PKCS1_V1_5_SHA_256",
            Self::RsassaPkcs1V15Sha384 => "RSASSA_PKCS1_V1_5_SHA_384",
            Self::RsassaPkcs1V15Sha512 => "RSASSA_PKCS1_V1_5_SHA_512",
            Self::EcdsaSha256 => "ECDSA_SHA_256",
            Self::EcdsaSha384 => "ECDSA_SHA_384",
            Self::EcdsaSha512 => "ECDSA_SHA_512",
            Self::MlDsaShake256 => "ML_DSA_SHAKE_256",
            Self::Ed25519Sha512 => "ED25519_SHA_512",
            Self::Ed25519PhSha512 => "ED25519_PH_SHA_512",
        }
    }

    /// The algorithm of this name; `None` for `SM2DSA` and everything unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// What a `DIGEST` is made with; `None` where that message type is not taken.
    const fn digest(self) -> Option<&'static digest::Algorithm> {
        match self {
            Self::RsassaPssSha256 | Self::RsassaPkcs1V15Sha256 | Self::EcdsaSha256 => {
                Some(&digest::SHA256)
            }
            Self::RsassaPssSha384 | Self::RsassaPkcs1V15Sha384 | Self::EcdsaSha384 => {
                Some(&digest::SHA384)
            }
            Self::RsassaPssSha512
            | Self::RsassaPkcs1V15Sha512
            | Self::EcdsaSha512
            | Self::Ed25519PhSha512 => Some(&digest::SHA512),
            Self::Ed25519Sha512 | Self::MlDsaShake256 => None,
        }
    }
}

/// What the message of a request is: `MessageType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// `RAW`: the message itself.
    Raw,
    /// `DIGEST`: its hash.
    Digest,
    /// `EXTERNAL_MU`: the 64-byte representative μ of FIPS 204 §6.2.
    ExternalMu,
}

impl MessageType {
    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "RAW",
            Self::Digest => "DIGEST",
            Self::ExternalMu => "EXTERNAL_MU",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Raw, Self::Digest, Self::ExternalMu].into_iter().find(|kind| kind.name() == name)
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key is of another kind.
    #[error("{} keys have no signing algorithm {}", spec.name(), algorithm.name())]
    UnsupportedAlgorithm {
        /// The key's spec.
        spec: KeySpec,
        /// What was asked for.
        algorithm: SigningAlgorithm,
    },
    /// The algorithm does not take this type of message.
    #[error("{} takes no message of type {}", algorithm.name(), message_type.name())]
    UnsupportedMessageType {
        /// What was asked for.
        algorithm: SigningAlgorithm,
        /// The message's type.
        message_type: MessageType,
    },
    /// A digest or μ of the wrong length.
    #[error("{} needs a digest of {expected} bytes, not {length}", algorithm.name())]
    DigestLength {
        /// What was asked for.
        algorithm: SigningAlgorithm,
        /// Bytes that it needs.
        expected: usize,
        /// Bytes given.
        length: usize,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The question itself is wrong; nothing was verified.
    #[error(transparent)]
    Request(#[from] SignError),
    /// It is not a signature of this message under this key, for whatever reason.
    #[error("the signature is invalid for this message, key and algorithm")]
    InvalidSignature,
}

/// A message that fits its algorithm.
pub(crate) enum Input<'a> {
    /// To be hashed (for Ed25519ph: hashed once more).
    Message(&'a [u8]),
    /// Hashed already.
    Digest(Digest),
    /// ML-DSA's μ.
    Mu(&'a [u8; MU_BYTES]),
}

const MU_BYTES: usize = 64;

impl<'a> Input<'a> {
    /// Checks algorithm, type and length against each other.
    pub(crate) fn check(
        spec: KeySpec,
        algorithm: SigningAlgorithm,
        message_type: MessageType,
        message: &'a [u8],
    ) -> Result<Self, SignError> {
        if !spec.signing_algorithms().contains(&algorithm) {
            return Err(SignError::UnsupportedAlgorithm { spec, algorithm });
        }
        let length = message.len();
        let wrong_length = |expected| SignError::DigestLength { algorithm, expected, length };
        match (message_type, algorithm.digest()) {
            (MessageType::Raw, _) if algorithm != SigningAlgorithm::Ed25519PhSha512 => {
                Ok(Self::Message(message))
            }
            (MessageType::Digest, Some(digest)) => {
                let imported = Digest::import_less_safe(message, digest);
                let imported = imported.map_err(|_| wrong_length(digest.output_len()))?;
                Ok(match algorithm {
                    SigningAlgorithm::Ed25519PhSha512 => Self::Message(message),
                    _ => Self::Digest(imported),
                })
            }
            (MessageType::ExternalMu, None) if algorithm == SigningAlgorithm::MlDsaShake256 => {
                let mu = message.try_into().map_err(|_| wrong_length(MU_BYTES))?;
                Ok(Self::Mu(mu))
            }
            _ => Err(SignError::UnsupportedMessageType { algorithm, message_type }),
        }
    }
}

#[cfg(test)]
mod tests;
