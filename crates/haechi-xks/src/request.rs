//! A request's body, read. Any bytes give a request or a refusal.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_crypto::{ExternalCiphertext, SecretVec};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::api::{Operation, RequestMetadata};
use crate::refusal::{ErrorName, Refusal};

/// Bytes of a plaintext or ciphertext, at most; the specification asks for 4300 at least.
pub const TEXT_BYTES_MAX: usize = 8192;
/// Bytes of `additionalAuthenticatedData`, at most; as many as the specification asks for.
pub const ADDITIONAL_DATA_BYTES_MAX: usize = 8192;
/// Bytes of a whole body: the largest values in base64, and room for metadata with long ARNs.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What is asked.
pub enum Call {
    /// `GetHealthStatus`.
    GetHealthStatus,
    /// `GetKeyMetadata`.
    GetKeyMetadata,
    /// `Encrypt`.
    Encrypt {
        /// What to encrypt.
        plaintext: SecretVec,
        /// What to authenticate beside it.
        additional_data: Vec<u8>,
        /// Whether a `ciphertextDataIntegrityValue` is wanted.
        integrity_value: bool,
    },
    /// `Decrypt`.
    Decrypt {
        /// What to decrypt.
        sealed: ExternalCiphertext,
        /// What was authenticated beside it.
        additional_data: Vec<u8>,
    },
}

/// A request, with who makes it.
pub struct Request {
    /// Who asks KMS for what.
    pub metadata: RequestMetadata,
    /// What is asked of the proxy.
    pub call: Call,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bare {
    request_metadata: RequestMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encrypt<'a> {
    request_metadata: RequestMetadata,
    #[serde(borrow)]
    plaintext: Cow<'a, str>,
    encryption_algorithm: String,
    additional_authenticated_data: Option<String>,
    ciphertext_data_integrity_value_algorithm: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypt {
    request_metadata: RequestMetadata,
    ciphertext: String,
    ciphertext_metadata: Option<String>,
    encryption_algorithm: String,
    additional_authenticated_data: Option<String>,
    initialization_vector: String,
    authentication_tag: String,
}

fn invalid(message: impl AsRef<str>) -> Refusal {
    Refusal::new(ErrorName::Validation, message)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser's words name the field and the place, never a value.
        match error.classify() {
            serde_json::error::Category::Data => invalid(shown(&error.to_string())),
            _ => invalid("The request body is not JSON."),
        }
    })
}

/// Of what the parser says only what cannot hold a part of the body.
fn shown(text: &str) -> &str {
    let safe = ["missing field", "duplicate field"].iter().any(|start| text.starts_with(start));
    if safe { text } else { "A field of the request body has the wrong type." }
}

fn required(field: &str, value: Option<&String>) -> Result<(), Refusal> {
    match value {
        Some(text) if !text.is_empty() => Ok(()),
        _ => Err(invalid(format!("requestMetadata.{field} is required."))),
    }
}

fn check_metadata(operation: Operation, metadata: &RequestMetadata) -> Result<(), Refusal> {
    required("kmsRequestId", metadata.kms_request_id.as_ref())?;
    required("kmsOperation", metadata.kms_operation.as_ref())?;
    if operation != Operation::GetHealthStatus {
        required("awsPrincipalArn", metadata.aws_principal_arn.as_ref())?;
    }
    if matches!(operation, Operation::Encrypt | Operation::Decrypt) {
        required("kmsKeyArn", metadata.kms_key_arn.as_ref())?;
    }
    Ok(())
}

fn check_algorithm(algorithm: &str) -> Result<(), Refusal> {
    if algorithm == "AES_GCM" {
        return Ok(());
    }
    Err(invalid("encryptionAlgorithm must be AES_GCM."))
}

fn bytes(field: &str, text: &str, most: usize) -> Result<Vec<u8>, Refusal> {
    let bytes = STANDARD.decode(text).map_err(|_| invalid(format!("{field} is not base64.")))?;
    if bytes.len() > most {
        let message = format!("{field} is longer than {most} bytes.");
        return Err(Refusal::new(ErrorName::UnsupportedOperation, message));
    }
    Ok(bytes)
}

fn additional(text: Option<&String>) -> Result<Vec<u8>, Refusal> {
    let field = "additionalAuthenticatedData";
    text.map_or(Ok(Vec::new()), |text| bytes(field, text, ADDITIONAL_DATA_BYTES_MAX))
}

/// Reads the body of a request whose signature has been verified.
///
/// # Errors
/// `ValidationException` for what is missing or malformed, `UnsupportedOperationException` for what
/// is too long, `InvalidCiphertextException` for parts that no ciphertext has.
pub fn parse(operation: Operation, body: &[u8]) -> Result<Request, Refusal> {
    let request = match operation {
        Operation::GetHealthStatus => {
            let Bare { request_metadata: metadata } = read(body)?;
            Request { metadata, call: Call::GetHealthStatus }
        }
        Operation::GetKeyMetadata => {
            let Bare { request_metadata: metadata } = read(body)?;
            Request { metadata, call: Call::GetKeyMetadata }
        }
        Operation::Encrypt => encrypt(read(body)?)?,
        Operation::Decrypt => decrypt(read(body)?)?,
    };
    check_metadata(operation, &request.metadata)?;
    Ok(request)
}

fn encrypt(asked: Encrypt<'_>) -> Result<Request, Refusal> {
    check_algorithm(&asked.encryption_algorithm)?;
    let integrity_value = match asked.ciphertext_data_integrity_value_algorithm.as_deref() {
        None => false,
        Some("SHA_256") => true,
        Some(_) => {
            return Err(invalid("ciphertextDataIntegrityValueAlgorithm must be SHA_256."));
        }
    };
    let plaintext = match asked.plaintext {
        Cow::Borrowed(text) => bytes("plaintext", text, TEXT_BYTES_MAX)?,
        Cow::Owned(text) => bytes("plaintext", &Zeroizing::new(text), TEXT_BYTES_MAX)?,
    };
    let plaintext = SecretVec::from(plaintext);
    let additional_data = additional(asked.additional_authenticated_data.as_ref())?;
    let call = Call::Encrypt { plaintext, additional_data, integrity_value };
    Ok(Request { metadata: asked.request_metadata, call })
}

fn decrypt(asked: Decrypt) -> Result<Request, Refusal> {
    check_algorithm(&asked.encryption_algorithm)?;
    let metadata = asked.ciphertext_metadata.as_deref().unwrap_or_default();
    let metadata = bytes("ciphertextMetadata", metadata, TEXT_BYTES_MAX)?;
    let iv = bytes("initializationVector", &asked.initialization_vector, TEXT_BYTES_MAX)?;
    let tag = bytes("authenticationTag", &asked.authentication_tag, TEXT_BYTES_MAX)?;
    let ciphertext = bytes("ciphertext", &asked.ciphertext, TEXT_BYTES_MAX)?;
    let wrong = |what: &str| Refusal::new(ErrorName::InvalidCiphertext, what);
    if metadata.len() > haechi_crypto::external_key::METADATA_BYTES_MAX {
        return Err(wrong("ciphertextMetadata is longer than 20 bytes."));
    }
    if !matches!(iv.len(), 12 | 16) {
        return Err(wrong("initializationVector must have 12 or 16 bytes."));
    }
    let tag = tag.try_into().map_err(|_| wrong("authenticationTag must have 16 bytes."))?;
    let sealed = ExternalCiphertext {
        metadata,
        initialization_vector: iv,
        ciphertext,
        authentication_tag: tag,
    };
    let additional_data = additional(asked.additional_authenticated_data.as_ref())?;
    Ok(Request {
        metadata: asked.request_metadata,
        call: Call::Decrypt { sealed, additional_data },
    })
}

#[cfg(test)]
mod tests;
