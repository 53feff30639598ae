//! The header form: `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};

use super::{Fields, Form};
use crate::{
    error::AuthError,
    request::{AMZ_DATE, RequestView, SECURITY_TOKEN},
    timestamp::Timestamp,
};

/// What AWS shows of an `Authorization` header that it cannot read: only its hash, since a
/// misplaced secret may be in it.
fn fingerprint(value: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, value))
}

/// The error for a header that is not a list of `key=value` pairs.
pub(super) fn malformed(value: &[u8]) -> AuthError {
    AuthError::MalformedAuthorization { fingerprint: fingerprint(value) }
}

pub(super) fn read<'a>(
    request: &RequestView<'a>,
    value: &'a HeaderValue,
) -> Result<Fields<'a>, AuthError> {
    let text = value.to_str().map_err(|_| malformed(value.as_bytes()))?.trim();
    let (algorithm, parameters) = text.split_once(' ').unwrap_or((text, ""));
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    let words = parameters.split(',').flat_map(|part| part.trim_ascii().split(' '));
    for pair in words.filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| malformed(value.as_bytes()))?;
        match name {
            "Credential" => credential = Some(value),
            "SignedHeaders" => signed_headers = Some(value),
            "Signature" => signature = Some(value),
            _ => {}
        }
    }
    let (date, timestamp) = match request.text(&AMZ_DATE) {
        Some(date) => (Some(date), Timestamp::parse_basic(date)),
        None => {
            let date = request.text(&header::DATE);
            (date, date.and_then(Timestamp::parse_http))
        }
    };
    let credential = credential.filter(|value| !value.is_empty());
    let signature = signature.filter(|value| !value.is_empty());
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (credential, signature, signed_headers, date)
    else {
        let mut missing = Vec::new();
        for (name, is_missing) in [
            ("Credential", credential.is_none()),
            ("Signature", signature.is_none()),
            ("SignedHeaders", signed_headers.is_none()),
        ] {
            if is_missing {
                missing.push(name);
            }
        }
        return Err(AuthError::IncompleteHeader {
            missing,
            date_missing: date.is_none(),
            fingerprint: fingerprint(value.as_bytes()),
        });
    };
    Ok(Fields {
        form: Form::Header,
        algorithm: Cow::Borrowed(algorithm),
        credential: Cow::Borrowed(credential),
        signed_headers: Cow::Borrowed(signed_headers),
        signature: Cow::Borrowed(signature),
        date: Cow::Borrowed(date),
        timestamp,
        expires: None,
        session_token: request.text(&SECURITY_TOKEN).map(Cow::Borrowed),
        content_sha256: None,
    })
}
