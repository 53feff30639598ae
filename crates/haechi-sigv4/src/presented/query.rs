//! The presigned form: the parameters `X-Amz-Algorithm`, `-Credential`, `-Date`, `-Expires`,
//! `-SignedHeaders`, `-Signature` and `-Security-Token` of the query string.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Fields, Form};
use crate::{
    error::AuthError,
    request::{RequestView, SECURITY_TOKEN},
    timestamp::Timestamp,
};

/// A query name or value, decoded; bytes that are not UTF-8 become U+FFFD, which matches nothing.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains(['%', '+']) {
        let spaced = text.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether the query string carries a signature.
pub(super) fn is_presigned(request: &RequestView<'_>) -> bool {
    request.query_pairs().any(|(name, _)| decode(name) == "X-Amz-Algorithm")
}

pub(super) fn read<'a>(request: &RequestView<'a>) -> Result<Fields<'a>, AuthError> {
    const NAMES: [&str; 8] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
    ];
    let mut values: [Option<Cow<'a, str>>; 8] = Default::default();
    for (name, value) in request.query_pairs() {
        let name = decode(name);
        for (known, slot) in NAMES.iter().zip(values.iter_mut()) {
            if name == *known && slot.is_none() {
                *slot = Some(decode(value));
            }
        }
    }
    let missing = NAMES.iter().zip(&values).take(5);
    let missing: Vec<&'static str> = missing
        .filter(|(_, value)| value.as_deref().unwrap_or_default().is_empty())
        .map(|(name, _)| *name)
        .collect();
    let [algorithm, credential, signature, signed_headers, date, expires, token, sha256] = values;
    match (algorithm, credential, signature, signed_headers, date) {
        (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date))
            if missing.is_empty() =>
        {
            Ok(Fields {
                form: Form::Query,
                algorithm,
                credential,
                signed_headers,
                signature,
                timestamp: Timestamp::parse_basic(&date),
                date,
                expires,
                session_token: token.or_else(|| request.text(&SECURITY_TOKEN).map(Cow::Borrowed)),
                content_sha256: sha256,
            })
        }
        _ => Err(AuthError::IncompleteQuery { missing }),
    }
}
