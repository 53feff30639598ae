//! One request to the proxy: path, signature, body, key manager, record, answer.
//!
//! **Invariant:** the key manager is asked nothing before the signature was verified, and no answer
//! leaves before its record was taken.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haechi_crypto::{ExternalCiphertext, SecretVec};
use haechi_sigv4::{Expected, Form, Payload, RequestView, Rules, Scratch, SigningKey, Timestamp};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::SIGNING_NAME;
use crate::api::{Health, KeyMetadata, Operation, RequestMetadata, Target};
use crate::refusal::{ErrorName, Refusal};
use crate::request::{self, Call};

/// Where load balancers ask whether the proxy is there, without a signature.
const PING_PATH: &str = "/ping";

/// Stands in for the secret of access keys that nobody has, so that they take as long to refuse.
const NOBODYS_SECRET: &str = "0000000000000000000000000000000000000000000";

/// A request, as far as its signature tells, and what it says of itself.
pub struct Asked<'a> {
    /// What is asked.
    pub operation: Operation,
    /// Of which external key; empty where of none.
    pub key_id: &'a str,
    /// Who asks KMS for what; empty in a request that was refused before it was read.
    pub metadata: &'a RequestMetadata,
    /// The access key that the request presents.
    pub access_key_id: &'a str,
    /// Where it came from.
    pub source_ip: IpAddr,
    /// Its `User-Agent`.
    pub user_agent: &'a str,
}

/// Who has the key stores.
#[async_trait]
pub trait KeyManager: Send + Sync + 'static {
    /// Now, for the age of signatures: seconds since 1970.
    fn now_seconds(&self) -> i64;

    /// The key store under a path prefix.
    ///
    /// # Errors
    /// If it cannot be looked up.
    async fn key_store(&self, prefix: &str) -> Result<Option<Arc<dyn KeyStore>>, Refusal>;
}

/// Keys that one KMS may use, and the credentials that it signs with.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// The secret of an access key.
    fn secret_access_key(&self, access_key_id: &str) -> Option<&str>;

    /// Whether keys can be used now.
    ///
    /// # Errors
    /// If not.
    async fn health(&self, asked: &Asked<'_>) -> Result<Health, Refusal>;

    /// What kind of key it is.
    ///
    /// # Errors
    /// If it is not there.
    async fn key_metadata(&self, asked: &Asked<'_>) -> Result<KeyMetadata, Refusal>;

    /// Encrypts.
    ///
    /// # Errors
    /// If the key is not there or does not serve.
    async fn encrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        plaintext: &SecretVec,
    ) -> Result<ExternalCiphertext, Refusal>;

    /// Decrypts.
    ///
    /// # Errors
    /// If the key is not there or does not serve, or did not make the ciphertext.
    async fn decrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, Refusal>;

    /// Takes the record of a request; the answer leaves after it.
    ///
    /// # Errors
    /// If it cannot be kept; the request is then answered with this.
    async fn record(&self, asked: &Asked<'_>, refused: Option<&Refusal>) -> Result<(), Refusal>;
}

/// The proxy, without its network.
pub struct Server {
    keys: Arc<dyn KeyManager>,
}

/// An answer's body, wiped when it has left.
type Json = Zeroizing<Vec<u8>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Encrypted {
    ciphertext: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    ciphertext_metadata: String,
    initialization_vector: String,
    authentication_tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_data_integrity_value: Option<String>,
}

impl Server {
    /// A proxy for these keys.
    pub fn new(keys: Arc<dyn KeyManager>) -> Server {
        Server { keys }
    }

    /// Answers one request whose body has been read.
    pub async fn answer(&self, peer: IpAddr, parts: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
        let path = parts.uri.path();
        if path == PING_PATH && parts.method == Method::GET {
            return response(StatusCode::OK, Zeroizing::new(b"{}".to_vec()));
        }
        let Some(target) = Target::parse(path) else { return refused(&unknown_path()) };
        if parts.method != Method::POST {
            let mut answer = response(StatusCode::METHOD_NOT_ALLOWED, Zeroizing::new(Vec::new()));
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            return answer;
        }
        match self.serve(peer, parts, target, body).await {
            Ok(json) => response(StatusCode::OK, json),
            Err(refusal) => refused(&refusal),
        }
    }

    async fn serve(
        &self,
        peer: IpAddr,
        parts: &Parts,
        target: Target<'_>,
        body: &[u8],
    ) -> Result<Json, Refusal> {
        let Some(store) = self.keys.key_store(target.prefix).await? else {
            return Err(unknown_path());
        };
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let mut asked = Asked {
            operation: target.operation,
            key_id: target.key_id,
            metadata: &RequestMetadata::default(),
            access_key_id: "",
            source_ip: peer,
            user_agent: text(header::USER_AGENT).unwrap_or_default(),
        };
        let access_key_id = match authenticate(&*store, parts, body, self.keys.now_seconds()) {
            Ok(access_key_id) => access_key_id,
            Err(presented) => {
                let message = "The signature of the request is not valid.";
                let refusal = Refusal::new(ErrorName::AuthenticationFailed, message);
                asked.access_key_id = &presented;
                store.record(&asked, Some(&refusal)).await?;
                return Err(refusal);
            }
        };
        asked.access_key_id = &access_key_id;
        let request = match request::parse(target.operation, body) {
            Ok(request) => request,
            Err(refusal) => {
                store.record(&asked, Some(&refusal)).await?;
                return Err(refusal);
            }
        };
        let asked = Asked { metadata: &request.metadata, ..asked };
        let outcome = run(&*store, &asked, &request.call).await;
        store.record(&asked, outcome.as_ref().err()).await?;
        outcome
    }
}

fn unknown_path() -> Refusal {
    Refusal::new(ErrorName::InvalidUriPath, "There is no key store at this path.")
}

/// Verifies the signature; answers the access key id, also of one that is refused.
fn authenticate(
    store: &dyn KeyStore,
    parts: &Parts,
    body: &[u8],
    now_seconds: i64,
) -> Result<String, String> {
    let view = RequestView::from(parts);
    let presented = haechi_sigv4::parse(&view).map_err(|_| String::new())?;
    let access_key_id = presented.access_key_id().to_owned();
    let now = Timestamp::from_unix_seconds(now_seconds);
    let region_is_valid = |region: &str| !region.is_empty();
    let expected = Expected { service: SIGNING_NAME, region_is_valid };
    let known = store.secret_access_key(&access_key_id);
    let secret = known.unwrap_or(NOBODYS_SECRET);
    let key = SigningKey::derive(secret, presented.date(), presented.region(), presented.service());
    let (payload, scratch) = (Payload::Bytes(body), &mut Scratch::default());
    let verified = presented.form() == Form::Header
        && presented.session_token().is_none()
        && presented.check(now, &expected, &Rules::STANDARD).is_ok()
        && haechi_sigv4::verify(&presented, &view, payload, &key, &Rules::STANDARD, scratch)
            .is_ok();
    if verified && known.is_some() { Ok(access_key_id) } else { Err(access_key_id) }
}

async fn run(store: &dyn KeyStore, asked: &Asked<'_>, call: &Call) -> Result<Json, Refusal> {
    match call {
        Call::GetHealthStatus => json(&store.health(asked).await?),
        Call::GetKeyMetadata => json(&store.key_metadata(asked).await?),
        Call::Encrypt { plaintext, additional_data, integrity_value } => {
            let sealed = store.encrypt(asked, additional_data, plaintext).await?;
            // Computed before the trial, so that what is damaged after it does not match.
            let value = integrity_value.then(|| integrity(additional_data, &sealed));
            if *integrity_value {
                let opened = store.decrypt(asked, additional_data, &sealed).await?;
                if opened != *plaintext {
                    let message = "What was encrypted does not decrypt.";
                    return Err(Refusal::new(ErrorName::Internal, message));
                }
            }
            json(&Encrypted {
                ciphertext: STANDARD.encode(&sealed.ciphertext),
                ciphertext_metadata: STANDARD.encode(&sealed.metadata),
                initialization_vector: STANDARD.encode(&sealed.initialization_vector),
                authentication_tag: STANDARD.encode(sealed.authentication_tag),
                ciphertext_data_integrity_value: value.map(|value| STANDARD.encode(value)),
            })
        }
        Call::Decrypt { sealed, additional_data } => {
            let plaintext = store.decrypt(asked, additional_data, sealed).await?;
            let text = Zeroizing::new(STANDARD.encode(plaintext.expose()));
            let parts: [&[u8]; 3] = [b"{\"plaintext\":\"", text.as_bytes(), b"\"}"];
            Ok(Zeroizing::new(parts.concat()))
        }
    }
}

/// `ciphertextDataIntegrityValue`: SHA-256 of all that must come back for a decryption.
#[must_use]
pub fn integrity(additional_data: &[u8], sealed: &ExternalCiphertext) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(additional_data);
    hash.update(&sealed.metadata);
    hash.update(&sealed.initialization_vector);
    hash.update(&sealed.ciphertext);
    hash.update(&sealed.authentication_tag);
    hash.finish().as_ref().to_vec()
}

fn json<T: Serialize>(value: &T) -> Result<Json, Refusal> {
    let written = serde_json::to_vec(value);
    let failed = |_| Refusal::new(ErrorName::Internal, "The answer could not be written.");
    Ok(Zeroizing::new(written.map_err(failed)?))
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.name.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response(status, Zeroizing::new(refusal.to_json()))
}

/// A body that wipes itself.
struct Wiped(Json);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn response(status: StatusCode, json: Json) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_owner(Wiped(json))));
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

/// What is answered to a body that is longer than any request.
pub(crate) fn too_large() -> Response<Full<Bytes>> {
    let message = "The request body is longer than any request of this API.";
    refused(&Refusal::new(ErrorName::UnsupportedOperation, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix C of the specification.
    #[test]
    fn the_integrity_value_is_the_one_of_the_specification() {
        let decoded = |text| STANDARD.decode(text).unwrap();
        let sealed = ExternalCiphertext {
            metadata: decoded("a2V5X3ZlcnNpb249MQ=="),
            initialization_vector: decoded("HMrlRw85cAJUd5Ax"),
            ciphertext: decoded("ghxkK1txeDNn3q8Y"),
            authentication_tag: decoded("vBxN2ncH1oEkR8WVXpmyYQ==").try_into().unwrap(),
        };
        let value = integrity(b"project=nile,department=marketing", &sealed);
        assert_eq!(STANDARD.encode(value), "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=");
    }
}
