//! Making signatures: for clients, for the load generator and for tests.

use http::{
    HeaderName, HeaderValue,
    header::{self, InvalidHeaderValue},
    request::Parts,
    uri::{InvalidUri, InvalidUriParts, PathAndQuery},
};
use zeroize::Zeroizing;

use crate::{
    ALGORITHM,
    canonical::Scratch,
    encode::{push_encoded, push_hex},
    key::SigningKey,
    payload::{CONTENT_SHA256, Payload},
    request::{AMZ_DATE, RequestView, SECURITY_TOKEN},
    rules::Rules,
    timestamp::Timestamp,
};

/// Headers that proxies and HTTP libraries change on the way, so that clients do not sign them.
const UNSIGNABLE: [&str; 15] = [
    "authorization",
    "cache-control",
    "connection",
    "expect",
    "from",
    "keep-alive",
    "max-forwards",
    "pragma",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// There is no host to sign.
    #[error("the request has neither a Host header nor an authority in its URI; add one")]
    NoHost,
    /// The body's hash is needed.
    #[error("the body is not known; pass its bytes or hash, or set x-amz-content-sha256")]
    NoPayloadHash,
    /// The key's scope is for another day than the signing time.
    #[error("the key is derived for the scope {scope}, but the request is signed on {date}")]
    WrongDate {
        /// The key's scope.
        scope: String,
        /// The date of the signing time.
        date: String,
    },
    /// The session token or access key id cannot stand in a header.
    #[error("the credentials hold bytes that no header may have")]
    InvalidHeader(#[from] InvalidHeaderValue),
    /// The presigned query string does not fit into a URI.
    #[error("the presigned URI is invalid")]
    InvalidUri(#[from] InvalidUri),
    /// The presigned query string does not fit into a URI.
    #[error("the presigned URI is invalid")]
    InvalidUriParts(#[from] InvalidUriParts),
    /// aws-lc could not compute an HMAC.
    #[error("computing the signature failed; the process is probably out of memory")]
    Hmac,
}

/// Who signs, when, and by which rules.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The key, derived for the date of `timestamp`.
    pub key: &'a SigningKey,
    /// The signing time.
    pub timestamp: Timestamp,
    /// [`Rules::STANDARD`] or [`Rules::S3`].
    pub rules: Rules,
}

impl Signer<'_> {
    /// Signs a request by headers: sets `x-amz-date`, `x-amz-security-token` (if there is a
    /// token), for S3 `x-amz-content-sha256`, and `authorization`. All headers are signed but
    /// those that are changed on the way.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(
        &self,
        parts: &mut Parts,
        payload: Payload<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), SignError> {
        parts.headers.insert(AMZ_DATE, HeaderValue::from_bytes(&self.timestamp.basic())?);
        if let Some(token) = self.session_token {
            let mut token = HeaderValue::from_str(token)?;
            token.set_sensitive(true);
            parts.headers.insert(SECURITY_TOKEN, token);
        }
        if self.rules.s3_payload && !parts.headers.contains_key(CONTENT_SHA256) {
            let line = payload_line(&RequestView::from(&*parts), payload, false, &self.rules)?;
            parts.headers.insert(CONTENT_SHA256, HeaderValue::from_bytes(&line)?);
        }
        let authorization = self.authorization(&RequestView::from(&*parts), payload, scratch)?;
        let mut authorization = HeaderValue::from_str(&authorization)?;
        authorization.set_sensitive(true);
        parts.headers.insert(header::AUTHORIZATION, authorization);
        Ok(())
    }

    /// Presigns a request: puts the signature, good for `expires` seconds, into its query string.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn presign(
        &self,
        parts: &mut Parts,
        payload: Payload<'_>,
        expires: u32,
        scratch: &mut Scratch,
    ) -> Result<(), SignError> {
        let view = RequestView::from(&*parts);
        let query = self.presigned_query(&view, payload, expires, scratch)?;
        let target = PathAndQuery::try_from(format!("{}?{query}", parts.uri.path()))?;
        let mut uri = parts.uri.clone().into_parts();
        uri.path_and_query = Some(target);
        parts.uri = http::Uri::from_parts(uri)?;
        Ok(())
    }

    /// The value of the `Authorization` header for a request whose other headers are complete.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn authorization(
        &self,
        request: &RequestView<'_>,
        payload: Payload<'_>,
        scratch: &mut Scratch,
    ) -> Result<String, SignError> {
        let names = signed_headers(request)?;
        scratch.payload = payload_line(request, payload, false, &self.rules)?;
        let signature = self.signature(request, &names, scratch)?;
        let (access_key_id, scope) = (self.access_key_id, self.key.scope());
        Ok(format!(
            "{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={names}, \
             Signature={signature}"
        ))
    }

    /// The whole query string, without `?`, of the presigned request.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn presigned_query(
        &self,
        request: &RequestView<'_>,
        payload: Payload<'_>,
        expires: u32,
        scratch: &mut Scratch,
    ) -> Result<String, SignError> {
        let names = signed_headers(request)?;
        let credential = format!("{}/{}", self.access_key_id, self.key.scope());
        let mut query = request.query.unwrap_or_default().to_owned();
        let parameters = [
            ("X-Amz-Algorithm", Some(ALGORITHM)),
            ("X-Amz-Credential", Some(&credential)),
            ("X-Amz-Date", Some(&self.timestamp.to_string())),
            ("X-Amz-SignedHeaders", Some(&names)),
            ("X-Amz-Expires", Some(&expires.to_string())),
            ("X-Amz-Security-Token", self.session_token),
        ];
        for (name, value) in parameters {
            let Some(value) = value else { continue };
            let mut encoded = Vec::new();
            push_encoded(&mut encoded, value.as_bytes());
            let separator = if query.is_empty() { "" } else { "&" };
            query += &format!("{separator}{name}={}", String::from_utf8_lossy(&encoded));
        }
        scratch.payload = payload_line(request, payload, true, &self.rules)?;
        let presigned = RequestView { query: Some(&query), ..*request };
        let signature = self.signature(&presigned, &names, scratch)?;
        Ok(format!("{query}&X-Amz-Signature={signature}"))
    }

    fn signature(
        &self,
        request: &RequestView<'_>,
        signed_headers: &str,
        scratch: &mut Scratch,
    ) -> Result<String, SignError> {
        let (scope, date) = (self.key.scope(), self.timestamp.date());
        if !scope.starts_with(&date) {
            return Err(SignError::WrongDate { scope: scope.to_owned(), date });
        }
        scratch.write_canonical(request, signed_headers, self.rules.path);
        scratch.write_string_to_sign(&self.timestamp.basic(), scope);
        let signature: Zeroizing<[u8; 32]> =
            self.key.signature(&scratch.string_to_sign).ok_or(SignError::Hmac)?;
        let mut hex = Vec::with_capacity(64);
        push_hex(&mut hex, &signature);
        Ok(String::from_utf8_lossy(&hex).into_owned())
    }
}

/// The names to sign: all but the unsignable, and `host` in any case.
fn signed_headers(request: &RequestView<'_>) -> Result<String, SignError> {
    request.host().ok_or(SignError::NoHost)?;
    let names = request.headers.keys().map(HeaderName::as_str);
    let mut names: Vec<&str> =
        names.filter(|name| !UNSIGNABLE.contains(name)).chain(["host"]).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.join(";"))
}

/// The last line of the canonical request.
fn payload_line(
    request: &RequestView<'_>,
    payload: Payload<'_>,
    presigned: bool,
    rules: &Rules,
) -> Result<Vec<u8>, SignError> {
    if let Some(declared) = request.headers.get(CONTENT_SHA256) {
        return Ok(declared.as_bytes().to_vec());
    }
    match payload.sha256() {
        _ if presigned && rules.s3_payload => Ok(b"UNSIGNED-PAYLOAD".to_vec()),
        Some(hash) => {
            let mut line = Vec::with_capacity(64);
            push_hex(&mut line, &hash);
            Ok(line)
        }
        None => Err(SignError::NoPayloadHash),
    }
}
