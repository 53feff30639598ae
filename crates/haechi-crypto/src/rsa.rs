//! RSA (RFC 8017): OAEP encryption, PSS and PKCS#1 v1.5 signatures, with aws-lc-rs.
//!
//! Private operations are blinded and constant-time in AWS-LC. Decryption has one error for every
//! cause, so that it is no oracle (Manger 2001). PKCS#1 v1.5 *encryption* is absent on purpose.
//!
//! Making a key takes tens to hundreds of milliseconds: call it on a pool for blocking work.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters};

use crate::der::{PrivateKeyInfo, PublicKeyInfo};
use crate::encryption::{AsymmetricEncryptError, EncryptionAlgorithm, InvalidRsaCiphertext};
use crate::signing::Input;
use crate::{CryptoError, KeySpec, PublicKey, SecretVec, SigningAlgorithm};

/// Content of `rsaEncryption`, 1.2.840.113549.1.1.1.
const OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const KEY_FAILED: CryptoError = CryptoError::new("set up an RSA key");

/// An RSA private key.
pub struct RsaMaterial {
    signing: KeyPair,
    decrypting: OaepPrivateDecryptingKey,
    public: PublicKey,
}

impl RsaMaterial {
    /// A new key with public exponent 65537, from AWS-LC's own generator (FIPS 186-5 §A.1.3).
    /// Takes tens (2048 bits) to hundreds (4096 bits) of milliseconds, at times a second.
    pub(crate) fn generate(spec: KeySpec) -> Result<Self, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("generate an RSA key");
        let key = PrivateDecryptingKey::generate(key_size(spec).ok_or(FAILED)?);
        let key = key.map_err(|_| FAILED)?;
        let pkcs8 = key.as_der().map_err(|_| FAILED)?;
        Self::from_pkcs8(spec, pkcs8.as_ref()).ok_or(FAILED)
    }

    /// The key in this PKCS#8 document, checked for consistency; `None` unless it is an RSA key of
    /// exactly the spec's size.
    pub(crate) fn from_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Option<Self> {
        if PrivateKeyInfo::parse(pkcs8)?.algorithm != OID {
            return None;
        }
        let signing = KeyPair::from_pkcs8(pkcs8).ok()?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        let public_key = signing.public_key();
        let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(public_key).ok()?;
        let public = PublicKey::from_der(spec, der.as_ref()).ok()?;
        let decrypting = OaepPrivateDecryptingKey::new(decrypting).ok()?;
        Some(Self { signing, decrypting, public })
    }

    /// The PKCS#8 document (version 1): the same bytes for the same key, however it came.
    pub(crate) fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&self.signing);
        der.map(|der| SecretVec::copy_from(der.as_ref())).map_err(|_| KEY_FAILED)
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        input: &Input<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("sign with RSA");
        let encoding = signature_encoding(algorithm).ok_or(FAILED)?;
        let mut signature = vec![0; self.signing.public_modulus_len()];
        let signed = match input {
            Input::Message(message) => {
                self.signing.sign(encoding, &SystemRandom::new(), message, &mut signature)
            }
            Input::Digest(digest) => self.signing.sign_digest(encoding, digest, &mut signature),
            Input::Mu(_) => return Err(FAILED),
        };
        signed.map(|()| signature).map_err(|_| FAILED)
    }

    pub(crate) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<SecretVec, InvalidRsaCiphertext> {
        let mut buffer = SecretVec::zero(self.decrypting.min_output_size());
        let oaep = oaep(algorithm);
        let plaintext = self.decrypting.decrypt(oaep, ciphertext, buffer.expose_mut(), None);
        plaintext.map(|plain| SecretVec::copy_from(plain)).map_err(|_| InvalidRsaCiphertext)
    }
}

/// An RSA public key, parsed once for each use.
pub(crate) struct RsaPublicKey {
    verifying: [(SigningAlgorithm, ParsedPublicKey); 6],
    encrypting: OaepPublicEncryptingKey,
}

impl RsaPublicKey {
    /// `None` unless it is a well-formed RSA key of exactly the spec's size.
    pub(crate) fn from_der(spec: KeySpec, der: &[u8]) -> Option<Self> {
        const NULL: &[u8] = &[5, 0];
        let info = PublicKeyInfo::parse(der)?;
        if info.algorithm != OID || info.parameters != NULL {
            return None;
        }
        let encrypting = PublicEncryptingKey::from_der(der).ok()?;
        if encrypting.key_size_bits() != key_size(spec)?.len() * 8 {
            return None;
        }
        let parse = |algorithm| {
            let parameters = verification_parameters(algorithm)?;
            Some((algorithm, ParsedPublicKey::new(parameters, info.key).ok()?))
        };
        Some(Self {
            verifying: [
                parse(SigningAlgorithm::RsassaPssSha256)?,
                parse(SigningAlgorithm::RsassaPssSha384)?,
                parse(SigningAlgorithm::RsassaPssSha512)?,
                parse(SigningAlgorithm::RsassaPkcs1V15Sha256)?,
                parse(SigningAlgorithm::RsassaPkcs1V15Sha384)?,
                parse(SigningAlgorithm::RsassaPkcs1V15Sha512)?,
            ],
            encrypting: OaepPublicEncryptingKey::new(encrypting).ok()?,
        })
    }

    pub(crate) fn verifies(
        &self,
        algorithm: SigningAlgorithm,
        input: &Input<'_>,
        signature: &[u8],
    ) -> bool {
        let Some((_, key)) = self.verifying.iter().find(|(of, _)| *of == algorithm) else {
            return false;
        };
        match input {
            Input::Message(message) => key.verify_sig(message, signature).is_ok(),
            Input::Digest(digest) => key.verify_digest_sig(digest, signature).is_ok(),
            Input::Mu(_) => false,
        }
    }

    pub(crate) fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AsymmetricEncryptError> {
        const FAILED: CryptoError = CryptoError::new("encrypt with RSA");
        let oaep = oaep(algorithm);
        let (length, max) = (plaintext.len(), self.encrypting.max_plaintext_size(oaep));
        if length > max {
            return Err(AsymmetricEncryptError::TooLong { algorithm, length, max });
        }
        let mut ciphertext = vec![0; self.encrypting.ciphertext_size()];
        let written = self.encrypting.encrypt(oaep, plaintext, &mut ciphertext, None);
        let written = written.map_err(|_| FAILED)?.len();
        ciphertext.truncate(written);
        Ok(ciphertext)
    }
}

fn key_size(spec: KeySpec) -> Option<KeySize> {
    match spec {
        KeySpec::Rsa2048 => Some(KeySize::Rsa2048),
        KeySpec::Rsa3072 => Some(KeySize::Rsa3072),
        KeySpec::Rsa4096 => Some(KeySize::Rsa4096),
        _ => None,
    }
}

fn oaep(algorithm: EncryptionAlgorithm) -> &'static OaepAlgorithm {
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => &OAEP_SHA1_MGF1SHA1,
        EncryptionAlgorithm::RsaesOaepSha256 => &OAEP_SHA256_MGF1SHA256,
    }
}

fn signature_encoding(algorithm: SigningAlgorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        SigningAlgorithm::RsassaPssSha256 => Some(&signature::RSA_PSS_SHA256),
        SigningAlgorithm::RsassaPssSha384 => Some(&signature::RSA_PSS_SHA384),
        SigningAlgorithm::RsassaPssSha512 => Some(&signature::RSA_PSS_SHA512),
        SigningAlgorithm::RsassaPkcs1V15Sha256 => Some(&signature::RSA_PKCS1_SHA256),
        SigningAlgorithm::RsassaPkcs1V15Sha384 => Some(&signature::RSA_PKCS1_SHA384),
        SigningAlgorithm::RsassaPkcs1V15Sha512 => Some(&signature::RSA_PKCS1_SHA512),
        _ => None,
    }
}

fn verification_parameters(algorithm: SigningAlgorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        SigningAlgorithm::RsassaPssSha256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        SigningAlgorithm::RsassaPssSha384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        SigningAlgorithm::RsassaPssSha512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        SigningAlgorithm::RsassaPkcs1V15Sha256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::RsassaPkcs1V15Sha384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        SigningAlgorithm::RsassaPkcs1V15Sha512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
