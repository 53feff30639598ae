//! Reading a signature out of a request: what its sender claims, not yet believed.

mod header;
mod query;

use std::{borrow::Cow, fmt};

use crate::{
    ALGORITHM,
    error::AuthError,
    request::RequestView,
    rules::{Expected, PresignedWindow, Rules},
    timestamp::Timestamp,
};

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string: a presigned request.
    Query,
}

/// A well-formed signature as its sender presents it. Nothing in it is proven until
/// [`crate::verify`] says so.
#[derive(Clone)]
pub struct Presented<'a> {
    form: Form,
    credential: Cow<'a, str>,
    /// Where the four slashes of the credential are.
    slashes: [usize; 4],
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    timestamp: Timestamp,
    /// The timestamp in ISO 8601 basic format.
    basic: [u8; 16],
    expires: Option<Cow<'a, str>>,
    session_token: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
}

/// Reads the signature of a request.
///
/// # Errors
/// [`AuthError::MissingAuthenticationToken`] if there is none at all; otherwise what AWS answers
/// for the first fault of its form: parameters or dates missing or malformed, an unknown
/// algorithm, `host` or an `x-amz-*` header not signed.
pub fn parse<'a>(request: &RequestView<'a>) -> Result<Presented<'a>, AuthError> {
    let mut authorizations = request.headers.get_all(http::header::AUTHORIZATION).iter();
    let presigned = query::is_presigned(request);
    let fields = match (authorizations.next(), presigned) {
        (None, false) => return Err(AuthError::MissingAuthenticationToken),
        (Some(_), true) => return Err(AuthError::TwoSignatures),
        (Some(value), false) if authorizations.next().is_some() => {
            return Err(header::malformed(value.as_bytes()));
        }
        (Some(value), false) => header::read(request, value)?,
        (None, true) => query::read(request)?,
    };
    check_form(request, fields)
}

/// What both forms carry, still unchecked.
struct Fields<'a> {
    form: Form,
    algorithm: Cow<'a, str>,
    credential: Cow<'a, str>,
    signed_headers: Cow<'a, str>,
    signature: Cow<'a, str>,
    date: Cow<'a, str>,
    timestamp: Option<Timestamp>,
    expires: Option<Cow<'a, str>>,
    session_token: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
}

fn check_form<'a>(
    request: &RequestView<'a>,
    fields: Fields<'a>,
) -> Result<Presented<'a>, AuthError> {
    let timestamp =
        fields.timestamp.ok_or_else(|| AuthError::InvalidDate { date: fields.date.into() })?;
    let signed_headers = normalise_names(fields.signed_headers);
    let is_signed = |wanted: &str| names(&signed_headers).any(|name| name == wanted.as_bytes());
    if !is_signed("host") {
        return Err(AuthError::HostNotSigned);
    }
    if fields.algorithm != ALGORITHM {
        return Err(AuthError::UnsupportedAlgorithm { algorithm: fields.algorithm.into() });
    }
    let credential = trim_slashes(fields.credential);
    let Some(slashes) = find_slashes(&credential) else {
        return Err(AuthError::MalformedCredential { credential: credential.into() });
    };
    let unsigned = |name: &&str| name.starts_with("x-amz-") && !is_signed(name);
    let unsigned: Vec<String> = request
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(unsigned)
        .map(Into::into)
        .collect();
    if !unsigned.is_empty() {
        return Err(AuthError::HeadersNotSigned { headers: unsigned });
    }
    Ok(Presented {
        form: fields.form,
        credential,
        slashes,
        signed_headers,
        signature: fields.signature,
        timestamp,
        basic: timestamp.basic(),
        expires: fields.expires,
        session_token: fields.session_token,
        content_sha256: fields.content_sha256,
    })
}

/// The names in a list of signed headers. Bytes, not text: they are short, and looked for often.
fn names(list: &str) -> impl Iterator<Item = &[u8]> {
    list.as_bytes().split(|byte| *byte == b';')
}

/// The signed header names in lower case, sorted, each once, as the canonical request has them.
fn normalise_names(list: Cow<'_, str>) -> Cow<'_, str> {
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().copied().all(is_lower_token);
    let mut before: &[u8] = b"";
    let is_normal = names(&list).all(|name| {
        let in_order = before < name;
        before = name;
        in_order && is_name(name)
    });
    if is_normal {
        return list;
    }
    // Names that no header can have are dropped: they could smuggle line breaks into the
    // canonical request. The signature cannot match then.
    let lower = list.to_ascii_lowercase();
    let mut sorted: Vec<&str> = lower.split(';').filter(|name| is_name(name.as_bytes())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    Cow::Owned(sorted.join(";"))
}

/// RFC 9110's token characters without upper case.
const fn is_lower_token(byte: u8) -> bool {
    byte.is_ascii_lowercase()
        || byte.is_ascii_digit()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// AWS ignores slashes at a credential's end.
fn trim_slashes(credential: Cow<'_, str>) -> Cow<'_, str> {
    match credential {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('/')),
        Cow::Owned(text) => Cow::Owned(text.trim_end_matches('/').to_owned()),
    }
}

/// Where the slashes of a credential are, if there are exactly four.
fn find_slashes(credential: &str) -> Option<[usize; 4]> {
    let mut places = credential.bytes().enumerate().filter(|(_, b)| *b == b'/').map(|(at, _)| at);
    let slashes = [places.next()?, places.next()?, places.next()?, places.next()?];
    places.next().is_none().then_some(slashes)
}

impl Presented<'_> {
    /// Whether the signature stands in a header or in the query string.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// The credential from after `start` (a slash) to before `end`.
    fn between(&self, start: usize, end: usize) -> &str {
        self.credential.get(start + 1..end).unwrap_or_default()
    }

    /// The access key id that the sender claims.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.credential.get(..self.slashes[0]).unwrap_or_default()
    }

    /// The date of the credential scope, `YYYYMMDD` if it is well-formed.
    #[must_use]
    pub fn date(&self) -> &str {
        self.between(self.slashes[0], self.slashes[1])
    }

    /// The Region of the credential scope.
    #[must_use]
    pub fn region(&self) -> &str {
        self.between(self.slashes[1], self.slashes[2])
    }

    /// The service of the credential scope (its signing name).
    #[must_use]
    pub fn service(&self) -> &str {
        self.between(self.slashes[2], self.slashes[3])
    }

    /// The credential scope, `date/region/service/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.between(self.slashes[0], self.credential.len())
    }

    /// When the request was signed, as its sender says.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The session token, if the sender uses temporary credentials.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// The names of the signed headers: lower case, sorted, joined by `;`.
    #[must_use]
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// The signature, as sent.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    pub(crate) fn basic(&self) -> &[u8; 16] {
        &self.basic
    }

    pub(crate) fn content_sha256(&self) -> Option<&str> {
        self.content_sha256.as_deref()
    }

    /// Checks the request's time against `now`, then its credential scope.
    ///
    /// # Errors
    /// [`AuthError::Expired`], [`AuthError::NotYetCurrent`], [`AuthError::InvalidExpires`], or
    /// [`AuthError::WrongScope`] with all that is wrong with the scope.
    pub fn check(
        &self,
        now: Timestamp,
        expected: &Expected<'_>,
        rules: &Rules,
    ) -> Result<(), AuthError> {
        self.check_time(now, rules)?;
        self.check_scope(expected)
    }

    fn check_time(&self, now: Timestamp, rules: &Rules) -> Result<(), AuthError> {
        let (seconds, expires) = match (self.form, rules.presigned_window) {
            (Form::Header, _) => (rules.skew_minutes * 60, None),
            (Form::Query, PresignedWindow::FifteenMinutes) => (15 * 60, None),
            (Form::Query, PresignedWindow::Requested) => {
                let seconds = self.expires_seconds()?;
                (seconds, Some(seconds))
            }
        };
        let signed_at = self.timestamp;
        let earliest = now.plus_seconds(-seconds);
        if signed_at < earliest {
            let minutes = seconds.div_euclid(60) + i64::from(seconds % 60 != 0);
            return Err(AuthError::Expired { signed_at, earliest, now, minutes, expires });
        }
        let minutes = rules.skew_minutes;
        let latest = now.plus_seconds(minutes * 60);
        if signed_at > latest {
            return Err(AuthError::NotYetCurrent { signed_at, latest, now, minutes });
        }
        Ok(())
    }

    /// `X-Amz-Expires`, checked: 1 to 604,800 seconds.
    fn expires_seconds(&self) -> Result<i64, AuthError> {
        let text = self.expires.as_deref().unwrap_or_default();
        let invalid = || AuthError::InvalidExpires { expires: text.to_owned() };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        text.parse().ok().filter(|seconds| (1..=604_800).contains(seconds)).ok_or_else(invalid)
    }

    fn check_scope(&self, expected: &Expected<'_>) -> Result<(), AuthError> {
        let (region, terminator) =
            (self.region(), self.between(self.slashes[3], self.credential.len()));
        let date = self.basic.get(..8).unwrap_or_default();
        let mut faults = Vec::new();
        if !(expected.region_is_valid)(region) {
            faults.push(format!("Credential should be scoped to a valid region, not '{region}'."));
        }
        if self.service() != expected.service {
            let service = expected.service;
            faults.push(format!("Credential should be scoped to correct service: '{service}'."));
        }
        if terminator != "aws4_request" {
            faults.push(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not \
                 '{terminator}'."
            ));
        }
        if self.date().as_bytes() != date {
            faults.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{}' != '{}', from '{}'.",
                self.date(),
                self.timestamp.date(),
                self.timestamp,
            ));
        }
        if faults.is_empty() { Ok(()) } else { Err(AuthError::WrongScope { faults }) }
    }
}

/// Without signature and session token.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("form", &self.form)
            .field("credential", &self.credential)
            .field("timestamp", &self.timestamp)
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
