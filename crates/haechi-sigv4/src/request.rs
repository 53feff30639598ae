//! What of a request is signed, borrowed from wherever it lives.

use http::{HeaderMap, HeaderName, Method, Request, header, request::Parts};

pub(crate) const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(crate) const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The signed parts of a request: everything but its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as sent, still percent-encoded; empty counts as `/`.
    pub path: &'a str,
    /// The query string as sent, without `?`.
    pub query: Option<&'a str>,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// HTTP/2's `:authority`, which stands for the `Host` header where that is absent.
    pub authority: Option<&'a str>,
}

impl<'a> RequestView<'a> {
    /// The `Host` header, or `:authority`.
    #[must_use]
    pub fn host(&self) -> Option<&'a [u8]> {
        match self.headers.get(header::HOST) {
            Some(host) => Some(host.as_bytes()),
            None => self.authority.map(str::as_bytes),
        }
    }

    /// The value of a header, if it is there and is visible ASCII.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The pairs of the query string, as sent; `a` without `=` has an empty value.
    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }
}

impl<'a> From<&'a Parts> for RequestView<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query(),
            headers: &parts.headers,
            authority: parts.uri.authority().map(http::uri::Authority::as_str),
        }
    }
}

impl<'a, B> From<&'a Request<B>> for RequestView<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            path: request.uri().path(),
            query: request.uri().query(),
            headers: request.headers(),
            authority: request.uri().authority().map(http::uri::Authority::as_str),
        }
    }
}
