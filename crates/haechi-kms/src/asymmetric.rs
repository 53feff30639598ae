//! What key pairs and HMAC keys do, with the errors that AWS answers.
//!
//! Source: API Reference, Sign, Verify, Encrypt, DeriveSharedSecret. Recorded from AWS are the
//! messages about incompatible algorithms and long plaintexts; the others are from memory, or ours.

use std::sync::Arc;

use haechi_core::{Cx, Permit};
use haechi_crypto::{
    AgreementError, AsymmetricDecryptError, AsymmetricEncryptError, DecapsulateError,
    EncapsulateError, EncryptionAlgorithm, InvalidCiphertext, SecretVec, SignError, VerifyError,
};
use haechi_kms_model::Error;
use haechi_kms_model::shapes::KeyUsageType;
use haechi_wire::Fault;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::material::invalid;
use crate::spec::plaintext_bytes_max;
use crate::store::Key;
use crate::{Kms, quotas, request};

/// Why a message cannot be signed or verified.
pub(crate) fn not_signed(key: &Key, error: SignError) -> Error {
    match error {
        SignError::UnsupportedAlgorithm { algorithm, .. } => {
            request::incompatible(key, algorithm.name())
        }
        SignError::UnsupportedMessageType { algorithm, message_type } => {
            let (message_type, algorithm) = (message_type.name(), algorithm.name());
            request::invalid(format!(
                "MessageType {message_type} is not compatible with signing algorithm {algorithm}."
            ))
        }
        SignError::DigestLength { algorithm, .. } => request::invalid(format!(
            "Digest is invalid length for algorithm {}.",
            algorithm.name()
        )),
        SignError::Crypto(error) => Fault::internal(error).into(),
    }
}

/// Why a signature is refused.
pub(crate) fn not_verified(key: &Key, error: VerifyError) -> Error {
    match error {
        VerifyError::Request(error) => not_signed(key, error),
        VerifyError::InvalidSignature => Error::KMSInvalidSignatureException(String::new()),
    }
}

/// Why no secret was agreed.
pub(crate) fn not_agreed(error: AgreementError) -> Error {
    match error {
        AgreementError::UnsupportedSpec { .. } => Fault::internal(error).into(),
        // As recorded: AWS tells nothing of what was wrong.
        AgreementError::InvalidPublicKey => request::invalid(""),
    }
}

/// Why no secret was encapsulated.
pub(crate) fn not_encapsulated(error: EncapsulateError) -> Error {
    Fault::internal(error).into()
}

/// Why no secret was recovered.
pub(crate) fn not_decapsulated(error: DecapsulateError) -> Error {
    match error {
        DecapsulateError::CiphertextLength { .. } => invalid(InvalidCiphertext),
        DecapsulateError::UnsupportedSpec { .. } => Fault::internal(error).into(),
        DecapsulateError::Crypto(error) => Fault::internal(error).into(),
    }
}

/// Refuses a plaintext that is longer than RSAES-OAEP takes.
pub(crate) fn check_length(
    key: &Key,
    algorithm: EncryptionAlgorithm,
    length: usize,
) -> Result<(), Error> {
    let spec = key.spec();
    match spec.and_then(|spec| plaintext_bytes_max(spec, algorithm)) {
        Some(max) if length > max => Err(request::invalid(format!(
            "Algorithm {} and key spec {} cannot encrypt data larger than {max} bytes.",
            algorithm.name(),
            key.record.spec
        ))),
        _ => Ok(()),
    }
}

impl Kms {
    /// A key that the caller may use for the call's own operation, and that was made for it.
    pub(crate) async fn key_to_use(
        &self,
        cx: &Cx,
        key_id: &str,
        grant_tokens: Option<&Vec<String>>,
        usage: KeyUsageType,
        extra: &[(&'static str, &str)],
    ) -> Result<(Arc<Key>, Permit), Error> {
        self.check_grant_tokens(grant_tokens)?;
        let found = self.key(cx, key_id).await?;
        let (key, permit) = admit(cx, found, Facts { extra, ..Facts::default() })?;
        key.admit(Use::Material)?;
        quotas::count(cx, &key)?;
        request::check_usage(cx, &key, usage)?;
        Ok((key, permit))
    }

    /// Encrypts under a public key.
    pub(crate) async fn encrypt_to(
        &self,
        key: &Arc<Key>,
        permit: Permit,
        algorithm: EncryptionAlgorithm,
        plaintext: SecretVec,
    ) -> Result<Vec<u8>, Error> {
        check_length(key, algorithm, plaintext.len())?;
        self.with_public_key(key, permit, move |public_key| {
            let encrypted = public_key.encrypt(algorithm, plaintext.expose());
            encrypted.map_err(|error: AsymmetricEncryptError| Fault::internal(error).into())
        })
        .await
    }

    /// Decrypts with a private key.
    pub(crate) async fn decrypt_with(
        &self,
        key: &Arc<Key>,
        permit: Permit,
        algorithm: EncryptionAlgorithm,
        ciphertext: Vec<u8>,
    ) -> Result<SecretVec, Error> {
        self.with_material(key, permit, move |material| {
            material.secret.decrypt(algorithm, &ciphertext).map_err(|error| match error {
                AsymmetricDecryptError::Invalid(_) => invalid(InvalidCiphertext),
                AsymmetricDecryptError::UnsupportedAlgorithm { .. } => {
                    Fault::internal(error).into()
                }
            })
        })
        .await
    }
}
