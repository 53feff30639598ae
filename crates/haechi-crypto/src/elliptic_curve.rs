//! The Weierstrass curves: ECDSA (FIPS 186-5 §6) on all four, ECDH (SP 800-56A §5.7.1.2, cofactor
//! 1) on the NIST curves.
//!
//! Signatures are DER (RFC 3279 §2.2.3). The nonce comes from AWS-LC's generator mixed with key and
//! message; for secp256k1 it is deterministic (RFC 6979), because that key signs with `k256`.
//!
//! **secp256k1 and low S:** AWS makes no promise about S. A signature made here always has the
//! lower one of its two equal values, as Bitcoin and Ethereum demand; verification takes both, as
//! the standard says and as signatures made by AWS need.

use aws_lc_rs::agreement::{self, UnparsedPublicKey, agree};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair as _, ParsedPublicKey,
};
use k256::ecdsa::signature::hazmat::PrehashSigner;

use crate::der::{PrivateKeyInfo, PublicKeyInfo};
use crate::signing::Input;
use crate::{CryptoError, KeySpec, PublicKey, SecretVec};

/// Content of `id-ecPublicKey`, 1.2.840.10045.2.1.
const OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

const KEY_FAILED: CryptoError = CryptoError::new("set up an elliptic-curve key");
const SIGN_FAILED: CryptoError = CryptoError::new("sign with ECDSA");

/// Why no secret was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// The key is not on a NIST curve.
    #[error("{} keys agree on no shared secret; use a key on a NIST curve", spec.name())]
    UnsupportedSpec {
        /// The key's spec.
        spec: KeySpec,
    },
    /// The other side's key is not a point of the same curve in a `SubjectPublicKeyInfo`.
    #[error("the peer's public key is not a DER SubjectPublicKeyInfo on the key's own curve")]
    InvalidPublicKey,
}

/// What distinguishes one curve from another.
struct Curve {
    signing: &'static EcdsaSigningAlgorithm,
    verifying: &'static EcdsaVerificationAlgorithm,
    agreeing: Option<&'static agreement::Algorithm>,
    /// The `namedCurve` parameter of a public key, as DER.
    named: &'static [u8],
    /// Bytes of a coordinate.
    coordinate_bytes: usize,
}

static P256: Curve = Curve {
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verifying: &ECDSA_P256_SHA256_ASN1,
    agreeing: Some(&agreement::ECDH_P256),
    named: &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    coordinate_bytes: 32,
};
static P384: Curve = Curve {
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verifying: &ECDSA_P384_SHA384_ASN1,
    agreeing: Some(&agreement::ECDH_P384),
    named: &[6, 5, 0x2b, 0x81, 0x04, 0x00, 0x22],
    coordinate_bytes: 48,
};
static P521: Curve = Curve {
    signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    verifying: &ECDSA_P521_SHA512_ASN1,
    agreeing: Some(&agreement::ECDH_P521),
    named: &[6, 5, 0x2b, 0x81, 0x04, 0x00, 0x23],
    coordinate_bytes: 66,
};
static SECP256K1: Curve = Curve {
    signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verifying: &ECDSA_P256K1_SHA256_ASN1,
    agreeing: None,
    named: &[6, 5, 0x2b, 0x81, 0x04, 0x00, 0x0a],
    coordinate_bytes: 32,
};

impl Curve {
    fn of(spec: KeySpec) -> Option<&'static Self> {
        match spec {
            KeySpec::EccNistP256 => Some(&P256),
            KeySpec::EccNistP384 => Some(&P384),
            KeySpec::EccNistP521 => Some(&P521),
            KeySpec::EccSecgP256k1 => Some(&SECP256K1),
            _ => None,
        }
    }

    /// The point in a public key on this curve, compressed or not; says nothing about the point.
    fn point<'a>(&self, der: &'a [u8]) -> Option<&'a [u8]> {
        let info = PublicKeyInfo::parse(der)?;
        let bytes = match info.key.first()? {
            4 => 1 + 2 * self.coordinate_bytes,
            2 | 3 => 1 + self.coordinate_bytes,
            _ => return None,
        };
        let fits = info.algorithm == OID && info.parameters == self.named;
        (fits && info.key.len() == bytes).then_some(info.key)
    }
}

/// A private key on P-256, P-384, P-521 or secp256k1.
pub struct EllipticCurveMaterial {
    key: Key,
    /// The same key, as the agreement API wants it.
    agreeing: Option<agreement::PrivateKey>,
    pair: EcdsaKeyPair,
    public: PublicKey,
}

enum Key {
    Nist,
    Secp256k1(Box<k256::ecdsa::SigningKey>),
}

impl EllipticCurveMaterial {
    /// A new key, from AWS-LC's own generator (FIPS 186-5 §A.2).
    pub(crate) fn generate(spec: KeySpec) -> Result<Self, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("generate an elliptic-curve key");
        let curve = Curve::of(spec).ok_or(FAILED)?;
        let pair = EcdsaKeyPair::generate(curve.signing).map_err(|_| FAILED)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| FAILED)?;
        Self::from_pkcs8(spec, pkcs8.as_ref()).ok_or(FAILED)
    }

    /// The key in this PKCS#8 document, checked for consistency; `None` unless it is a key on the
    /// spec's curve.
    pub(crate) fn from_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Option<Self> {
        let curve = Curve::of(spec)?;
        if PrivateKeyInfo::parse(pkcs8)?.algorithm != OID {
            return None;
        }
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).ok()?;
        let agreeing = match curve.agreeing {
            Some(algorithm) => {
                Some(agreement::PrivateKey::from_private_key_der(algorithm, pkcs8).ok()?)
            }
            None => None,
        };
        let key = if spec == KeySpec::EccSecgP256k1 {
            let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
            let signing = k256::ecdsa::SigningKey::from_slice(scalar.as_ref()).ok()?;
            Key::Secp256k1(Box::new(signing))
        } else {
            Key::Nist
        };
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        let public = PublicKey::from_der(spec, der.as_ref()).ok()?;
        Some(Self { key, agreeing, pair, public })
    }

    /// The PKCS#8 document (version 1, with the public key): the same bytes for the same key.
    pub(crate) fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KEY_FAILED)?;
        Ok(SecretVec::copy_from(document.as_ref()))
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, input: &Input<'_>) -> Result<Vec<u8>, CryptoError> {
        if let Key::Secp256k1(key) = &self.key {
            return sign_secp256k1(key, input);
        }
        let signature = match input {
            Input::Message(message) => self.pair.sign(&SystemRandom::new(), message),
            Input::Digest(digest) => self.pair.sign_digest(digest),
            Input::Mu(_) => return Err(SIGN_FAILED),
        };
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| SIGN_FAILED)
    }

    /// The x-coordinate of the agreed point, as long as the curve's field: 32, 48 or 66 bytes.
    pub(crate) fn derive_shared_secret(&self, peer: &[u8]) -> Result<SecretVec, AgreementError> {
        const INVALID: AgreementError = AgreementError::InvalidPublicKey;
        let spec = self.public.spec();
        let unsupported = AgreementError::UnsupportedSpec { spec };
        let curve = Curve::of(spec).ok_or(unsupported)?;
        let agreeing = self.agreeing.as_ref().ok_or(unsupported)?;
        let algorithm = curve.agreeing.ok_or(unsupported)?;
        let point = curve.point(peer).ok_or(INVALID)?;
        let peer = UnparsedPublicKey::new(algorithm, point);
        agree(agreeing, peer, INVALID, |secret| Ok(SecretVec::copy_from(secret)))
    }
}

fn sign_secp256k1(
    key: &k256::ecdsa::SigningKey,
    input: &Input<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let hashed;
    let digest = match input {
        Input::Message(message) => {
            hashed = digest::digest(&digest::SHA256, message);
            &hashed
        }
        Input::Digest(digest) => digest,
        Input::Mu(_) => return Err(SIGN_FAILED),
    };
    let signature: k256::ecdsa::Signature =
        key.sign_prehash(digest.as_ref()).map_err(|_| SIGN_FAILED)?;
    Ok(signature.normalize_s().to_der().as_bytes().to_vec())
}

/// A public key on one of the curves.
pub(crate) struct EllipticCurvePublicKey(ParsedPublicKey);

impl EllipticCurvePublicKey {
    /// `None` unless it is a point of the spec's curve, named by its object identifier.
    pub(crate) fn from_der(spec: KeySpec, der: &[u8]) -> Option<Self> {
        let curve = Curve::of(spec)?;
        ParsedPublicKey::new(curve.verifying, curve.point(der)?).ok().map(Self)
    }

    pub(crate) fn verifies(&self, input: &Input<'_>, signature: &[u8]) -> bool {
        match input {
            Input::Message(message) => self.0.verify_sig(message, signature).is_ok(),
            Input::Digest(digest) => self.0.verify_digest_sig(digest, signature).is_ok(),
            Input::Mu(_) => false,
        }
    }
}
