//! HTTPS, as API destinations and token endpoints are called; the binary implements it.

use async_trait::async_trait;
use zeroize::Zeroizing;

/// A request. Everything that users gave for it may hold a secret.
pub struct HttpRequest {
    /// `POST`, `GET`, …
    pub method: &'static str,
    /// Where to: an `https` URL.
    pub url: Zeroizing<String>,
    /// Headers, in their order; `Host` and `Content-Length` come by themselves.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// The body; empty for none.
    pub body: Zeroizing<String>,
}

/// What came back.
#[derive(Debug, Default)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// `Retry-After`, in seconds from now.
    pub retry_after_seconds: Option<i64>,
    /// The beginning of the body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why nothing came back. No secret is in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// It cannot be called at all: the URL is none, or leads to where nothing may be called.
    Never(String),
    /// It can be called another time.
    ForNow(String),
    /// It took too long.
    TimeOut,
}

/// Sends requests.
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// One exchange, of five seconds at most; redirects are not followed.
    ///
    /// # Errors
    /// [`Unreached`].
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, Unreached>;
}
