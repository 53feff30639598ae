//! What KMS asks a proxy, and what it makes of the answer.
//!
//! Nothing that a proxy answers is believed before it has been checked: sizes, the integrity value,
//! that a decrypted text is as long as its ciphertext.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haechi_crypto::external_key::METADATA_BYTES_MAX;
use haechi_crypto::{ExternalCiphertext, SecretVec};
use haechi_sigv4::{Payload, Rules, Scratch, Signer, SigningKey, Timestamp};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::SIGNING_NAME;
use crate::api::{Health, KeyMetadata, Operation, RequestMetadata};
use crate::refusal::{ErrorName, Refusal};
use crate::server::integrity;
use crate::transport::{Place, Transport, TransportError};

/// A proxy, and the credential that it knows KMS by.
pub struct Proxy {
    /// Where it is.
    pub place: Place,
    /// `XksProxyUriPath`.
    pub uri_path: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret that signs.
    pub secret_access_key: Zeroizing<String>,
    /// The Region of KMS, for the signature.
    pub region: String,
}

/// Why a proxy did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It says why.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its answer is not what the specification says.
    #[error("the proxy's answer is malformed: {0}")]
    Malformed(String),
    /// There is no connection to it.
    #[error("{0}")]
    Unreachable(String),
    /// There is no TLS connection to it.
    #[error("{0}")]
    Tls(String),
    /// It did not answer in time.
    #[error("the proxy did not answer in time")]
    TimedOut,
    /// All its key managers are unavailable.
    #[error("the proxy says that its key managers are unavailable")]
    Unhealthy,
    /// The request could not be made.
    #[error("the request to the proxy could not be made: {0}")]
    Defect(String),
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable(why) => Failure::Unreachable(why),
            TransportError::Tls(why) => Failure::Tls(why),
            TransportError::TimedOut => Failure::TimedOut,
            TransportError::Malformed(why) => Failure::Malformed(why),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bare<'a> {
    request_metadata: &'a RequestMetadata,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Encrypt<'a> {
    request_metadata: &'a RequestMetadata,
    additional_authenticated_data: String,
    plaintext: &'a str,
    encryption_algorithm: &'static str,
    ciphertext_data_integrity_value_algorithm: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Decrypt<'a> {
    request_metadata: &'a RequestMetadata,
    additional_authenticated_data: String,
    encryption_algorithm: &'static str,
    ciphertext: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    ciphertext_metadata: String,
    initialization_vector: String,
    authentication_tag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encrypted {
    ciphertext: String,
    #[serde(default)]
    ciphertext_metadata: String,
    initialization_vector: String,
    authentication_tag: String,
    ciphertext_data_integrity_value: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Zeroizing<String>,
}

/// KMS's side of the API.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
}

impl Client {
    /// A client that sends by `transport`.
    pub fn new(transport: Arc<dyn Transport>) -> Client {
        Client { transport }
    }

    /// Whether the proxy, its credential and its key managers are ready.
    ///
    /// # Errors
    /// If not: [`Failure`] says why.
    pub async fn health(
        &self,
        proxy: &Proxy,
        metadata: &RequestMetadata,
        now_seconds: i64,
    ) -> Result<Health, Failure> {
        let body = written(&Bare { request_metadata: metadata })?;
        let body = self.call(proxy, Operation::GetHealthStatus, "", body, now_seconds).await?;
        let health: Health = read(&body)?;
        if !(1..=10).contains(&health.ekm_fleet_details.len()) {
            return Err(Failure::Malformed("ekmFleetDetails has not 1 to 10 entries".to_owned()));
        }
        let mut managers = health.ekm_fleet_details.iter();
        if managers.all(|manager| manager.health_status == "UNAVAILABLE") {
            return Err(Failure::Unhealthy);
        }
        Ok(health)
    }

    /// What kind of key an external key is.
    ///
    /// # Errors
    /// As [`Self::health`].
    pub async fn key_metadata(
        &self,
        proxy: &Proxy,
        key_id: &str,
        metadata: &RequestMetadata,
        now_seconds: i64,
    ) -> Result<KeyMetadata, Failure> {
        let body = written(&Bare { request_metadata: metadata })?;
        let body = self.call(proxy, Operation::GetKeyMetadata, key_id, body, now_seconds).await?;
        let found: KeyMetadata = read(&body)?;
        if found.key_usage.len() > 10 {
            return Err(Failure::Malformed("keyUsage has more than ten values".to_owned()));
        }
        Ok(found)
    }

    /// Lets an external key encrypt.
    ///
    /// # Errors
    /// As [`Self::health`].
    pub async fn encrypt(
        &self,
        proxy: &Proxy,
        key_id: &str,
        metadata: &RequestMetadata,
        (additional_data, plaintext): (&[u8], &[u8]),
        now_seconds: i64,
    ) -> Result<ExternalCiphertext, Failure> {
        let text = Zeroizing::new(STANDARD.encode(plaintext));
        let body = written(&Encrypt {
            request_metadata: metadata,
            additional_authenticated_data: STANDARD.encode(additional_data),
            plaintext: &text,
            encryption_algorithm: "AES_GCM",
            ciphertext_data_integrity_value_algorithm: "SHA_256",
        })?;
        let body = self.call(proxy, Operation::Encrypt, key_id, body, now_seconds).await?;
        let answer: Encrypted = read(&body)?;
        let sealed = ExternalCiphertext {
            metadata: decoded(&answer.ciphertext_metadata)?,
            initialization_vector: decoded(&answer.initialization_vector)?,
            ciphertext: decoded(&answer.ciphertext)?,
            authentication_tag: decoded(&answer.authentication_tag)?
                .try_into()
                .map_err(|_| Failure::Malformed("authenticationTag has not 16 bytes".to_owned()))?,
        };
        check(&sealed, plaintext.len())?;
        let value = decoded(&answer.ciphertext_data_integrity_value)?;
        if !bool::from(value.ct_eq(&integrity(additional_data, &sealed))) {
            let message = "ciphertextDataIntegrityValue does not match".to_owned();
            return Err(Failure::Malformed(message));
        }
        Ok(sealed)
    }

    /// Lets an external key decrypt.
    ///
    /// # Errors
    /// As [`Self::health`].
    pub async fn decrypt(
        &self,
        proxy: &Proxy,
        key_id: &str,
        metadata: &RequestMetadata,
        (additional_data, sealed): (&[u8], &ExternalCiphertext),
        now_seconds: i64,
    ) -> Result<SecretVec, Failure> {
        let body = written(&Decrypt {
            request_metadata: metadata,
            additional_authenticated_data: STANDARD.encode(additional_data),
            encryption_algorithm: "AES_GCM",
            ciphertext: STANDARD.encode(&sealed.ciphertext),
            ciphertext_metadata: STANDARD.encode(&sealed.metadata),
            initialization_vector: STANDARD.encode(&sealed.initialization_vector),
            authentication_tag: STANDARD.encode(sealed.authentication_tag),
        })?;
        let body = self.call(proxy, Operation::Decrypt, key_id, body, now_seconds).await?;
        let answer: Decrypted = read(&body)?;
        let plaintext = SecretVec::from(decoded(&answer.plaintext)?);
        if plaintext.len() != sealed.ciphertext.len() {
            let message = "the plaintext is not as long as the ciphertext".to_owned();
            return Err(Failure::Malformed(message));
        }
        Ok(plaintext)
    }

    async fn call(
        &self,
        proxy: &Proxy,
        operation: Operation,
        key_id: &str,
        body: Vec<u8>,
        now_seconds: i64,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let path = operation.path(&proxy.uri_path, key_id);
        let request = signed(proxy, &path, body, now_seconds)?;
        let (status, body) = self.transport.send(&proxy.place, request).await?;
        let body = Zeroizing::new(body);
        if status == 200 {
            return Ok(body);
        }
        Err(match Refusal::from_json(&body) {
            Some(refusal) => Failure::Refused(refusal),
            None => Failure::Malformed(format!("HTTP status {status} without an error's JSON")),
        })
    }
}

impl Failure {
    /// The error that the proxy named.
    #[must_use]
    pub fn error_name(&self) -> Option<ErrorName> {
        match self {
            Failure::Refused(refusal) => Some(refusal.name),
            _ => None,
        }
    }
}

fn signed(
    proxy: &Proxy,
    path: &str,
    body: Vec<u8>,
    now_seconds: i64,
) -> Result<Request<Full<Bytes>>, Failure> {
    let defect = |error: &dyn std::fmt::Display| Failure::Defect(error.to_string());
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, &proxy.place.host)
        .body(())
        .map_err(|error| defect(&error))?;
    let (mut parts, ()) = request.into_parts();
    let timestamp = Timestamp::from_unix_seconds(now_seconds);
    let key = SigningKey::derive(
        &proxy.secret_access_key,
        &timestamp.date(),
        &proxy.region,
        SIGNING_NAME,
    );
    let signer = Signer {
        access_key_id: &proxy.access_key_id,
        session_token: None,
        key: &key,
        timestamp,
        rules: Rules::STANDARD,
    };
    // Signed are host and x-amz-date, as KMS does; the content type comes after.
    signer
        .sign(&mut parts, Payload::Bytes(&body), &mut Scratch::default())
        .map_err(|error| defect(&error))?;
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    Ok(Request::from_parts(parts, Full::new(Bytes::from(body))))
}

fn written<T: Serialize>(body: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| Failure::Defect(error.to_string()))
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body)
        .map_err(|_| Failure::Malformed("not the JSON of the specification".to_owned()))
}

fn decoded(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| Failure::Malformed("a value is not base64".to_owned()))
}

fn check(sealed: &ExternalCiphertext, plaintext_bytes: usize) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::Malformed(what.to_owned()));
    if sealed.ciphertext.len() != plaintext_bytes {
        return wrong("the ciphertext is not as long as the plaintext");
    }
    if sealed.metadata.len() > METADATA_BYTES_MAX {
        return wrong("ciphertextMetadata is longer than 20 bytes");
    }
    if !matches!(sealed.initialization_vector.len(), 12 | 16) {
        return wrong("initializationVector has not 12 or 16 bytes");
    }
    Ok(())
}
