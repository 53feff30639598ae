//! The key specs of KMS, by AWS's names: what kind of key a KMS key holds, hence what it can do.
//!
//! Source: `KeySpec` and `DataKeyPairSpec` of the API model. SM2 is missing on purpose: AWS offers
//! it in China only, so elsewhere it is refused as any unknown name would be.

use crate::signing::SigningAlgorithm;

/// A key spec. The order is that of the API model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySpec {
    /// `RSA_2048`.
    Rsa2048,
    /// `RSA_3072`.
    Rsa3072,
    /// `RSA_4096`.
    Rsa4096,
    /// `ECC_NIST_P256`.
    EccNistP256,
    /// `ECC_NIST_P384`.
    EccNistP384,
    /// `ECC_NIST_P521`.
    EccNistP521,
    /// `ECC_SECG_P256K1`.
    EccSecgP256k1,
    /// `SYMMETRIC_DEFAULT`: 256 bits.
    SymmetricDefault,
    /// `HMAC_224`.
    Hmac224,
    /// `HMAC_256`.
    Hmac256,
    /// `HMAC_384`.
    Hmac384,
    /// `HMAC_512`.
    Hmac512,
    /// `ML_DSA_44` (FIPS 204).
    MlDsa44,
    /// `ML_DSA_65`.
    MlDsa65,
    /// `ML_DSA_87`.
    MlDsa87,
    /// `ECC_NIST_EDWARDS25519`.
    EccNistEdwards25519,
    /// `ML_KEM_512` (FIPS 203).
    MlKem512,
    /// `ML_KEM_768`.
    MlKem768,
    /// `ML_KEM_1024`.
    MlKem1024,
}

impl KeySpec {
    /// Every spec.
    pub const ALL: [Self; 19] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EccNistP256,
        Self::EccNistP384,
        Self::EccNistP521,
        Self::EccSecgP256k1,
        Self::SymmetricDefault,
        Self::Hmac224,
        Self::Hmac256,
        Self::Hmac384,
        Self::Hmac512,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::EccNistEdwards25519,
        Self::MlKem512,
        Self::MlKem768,
        Self::MlKem1024,
    ];

    /// AWS's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::EccNistP256 => "ECC_NIST_P256",
            Self::EccNistP384 => "ECC_NIST_P384",
            Self::EccNistP521 => "ECC_NIST_P521",
            Self::EccSecgP256k1 => "ECC_SECG_P256K1",
            Self::SymmetricDefault => "SYMMETRIC_DEFAULT",
            Self::Hmac224 => "HMAC_224",
            Self::Hmac256 => "HMAC_256",
            Self::Hmac384 => "HMAC_384",
            Self::Hmac512 => "HMAC_512",
            Self::MlDsa44 => "ML_DSA_44",
            Self::MlDsa65 => "ML_DSA_65",
            Self::MlDsa87 => "ML_DSA_87",
            Self::EccNistEdwards25519 => "ECC_NIST_EDWARDS25519",
            Self::MlKem512 => "ML_KEM_512",
            Self::MlKem768 => "ML_KEM_768",
            Self::MlKem1024 => "ML_KEM_1024",
        }
    }

    /// The spec of this name; `None` for `SM2` and everything unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spec| spec.name() == name)
    }

    /// The byte that names it in a key-material token. Never reused, never changed.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::SymmetricDefault => 1,
            Self::Rsa2048 => 2,
            Self::Rsa3072 => 3,
            Self::Rsa4096 => 4,
            Self::EccNistP256 => 5,
            Self::EccNistP384 => 6,
            Self::EccNistP521 => 7,
            Self::EccSecgP256k1 => 8,
            Self::EccNistEdwards25519 => 9,
            Self::Hmac224 => 10,
            Self::Hmac256 => 11,
            Self::Hmac384 => 12,
            Self::Hmac512 => 13,
            Self::MlDsa44 => 14,
            Self::MlDsa65 => 15,
            Self::MlDsa87 => 16,
            Self::MlKem512 => 17,
            Self::MlKem768 => 18,
            Self::MlKem1024 => 19,
        }
    }

    /// Whether it is a key pair, so that a public key can be given away.
    #[must_use]
    pub const fn is_key_pair(self) -> bool {
        !matches!(
            self,
            Self::SymmetricDefault | Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512
        )
    }

    /// Whether `GenerateDataKeyPair` makes it: every key pair but ML-DSA.
    #[must_use]
    pub const fn is_data_key_pair(self) -> bool {
        self.is_key_pair() && !matches!(self, Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87)
    }

    /// Whether `DeriveSharedSecret` takes it: the NIST curves. AWS excludes secp256k1.
    #[must_use]
    pub const fn agrees_keys(self) -> bool {
        matches!(self, Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521)
    }

    /// Whether making a key takes so long (tens to hundreds of milliseconds) that it must not run
    /// on a thread that serves others: RSA.
    #[must_use]
    pub const fn generates_slowly(self) -> bool {
        self.is_rsa()
    }

    /// Whether a private operation takes so long (half a millisecond and more) that it must not run
    /// on a thread that serves others: RSA above 2048 bits. One with 2048 bits takes a fifth of a
    /// millisecond, as long as other specs that nobody would send away: a verification with P-521.
    #[must_use]
    pub const fn works_slowly(self) -> bool {
        matches!(self, Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether it is an RSA spec: the ones with `RSAES_OAEP_SHA_1` and `RSAES_OAEP_SHA_256`.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether `Encapsulate` and `Decapsulate` take it: ML-KEM.
    #[must_use]
    pub const fn encapsulates(self) -> bool {
        matches!(self, Self::MlKem512 | Self::MlKem768 | Self::MlKem1024)
    }

    /// The one MAC algorithm of an HMAC spec, by AWS's name.
    #[must_use]
    pub const fn mac_algorithm(self) -> Option<&'static str> {
        match self {
            Self::Hmac224 => Some("HMAC_SHA_224"),
            Self::Hmac256 => Some("HMAC_SHA_256"),
            Self::Hmac384 => Some("HMAC_SHA_384"),
            Self::Hmac512 => Some("HMAC_SHA_512"),
            _ => None,
        }
    }

    /// The algorithms with which it signs, in the order in which AWS lists them; empty for a spec
    /// that does not sign.
    #[must_use]
    pub const fn signing_algorithms(self) -> &'static [SigningAlgorithm] {
        use SigningAlgorithm as Algorithm;
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[
                Algorithm::RsassaPkcs1V15Sha256,
                Algorithm::RsassaPkcs1V15Sha384,
                Algorithm::RsassaPkcs1V15Sha512,
                Algorithm::RsassaPssSha256,
                Algorithm::RsassaPssSha384,
                Algorithm::RsassaPssSha512,
            ],
            Self::EccNistP256 | Self::EccSecgP256k1 => &[Algorithm::EcdsaSha256],
            Self::EccNistP384 => &[Algorithm::EcdsaSha384],
            Self::EccNistP521 => &[Algorithm::EcdsaSha512],
            Self::EccNistEdwards25519 => &[Algorithm::Ed25519Sha512, Algorithm::Ed25519PhSha512],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &[Algorithm::MlDsaShake256],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_codes_are_unique_and_names_read_back() {
        let names: BTreeSet<_> = KeySpec::ALL.iter().map(|spec| spec.name()).collect();
        let codes: BTreeSet<_> = KeySpec::ALL.iter().map(|spec| spec.code()).collect();
        assert_eq!((names.len(), codes.len()), (KeySpec::ALL.len(), KeySpec::ALL.len()));
        for spec in KeySpec::ALL {
            assert_eq!(KeySpec::from_name(spec.name()), Some(spec));
        }
    }

    #[test]
    fn sm2_is_refused_as_an_unknown_name_is() {
        for name in ["SM2", "rsa_2048", "RSA_1024", ""] {
            assert_eq!(KeySpec::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn every_spec_has_exactly_the_abilities_of_its_family() {
        for spec in KeySpec::ALL {
            let abilities = [
                spec == KeySpec::SymmetricDefault,
                spec.mac_algorithm().is_some(),
                !spec.signing_algorithms().is_empty(),
                spec.encapsulates(),
            ];
            assert_eq!(abilities.iter().filter(|able| **able).count(), 1, "{spec:?}");
        }
    }
}
