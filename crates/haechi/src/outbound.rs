//! HTTP to endpoints that users name: topics' subscribers, API destinations and their token
//! endpoints, hooks that rotate secrets. To addresses that may be called, within a time, and no
//! further than the first answer.
//!
//! Whoever may name an endpoint makes the server connect to a host of their choice. So names that
//! lead into private networks are not followed unless the operator has listed the host, link-local
//! addresses (where clouds keep their metadata) never; and without TLS only this machine and listed
//! hosts are called.

mod clients;
mod options;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haechi_xks::address::is_public;
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

pub use clients::ApiEndpoints;
pub use options::OutboundOptions;

/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;

/// The way to endpoints.
#[derive(Default)]
pub struct Outbound(OnceLock<Way>);

struct Way {
    tls: TlsConnector,
    allowed_hosts: Vec<String>,
}

/// A request to an endpoint.
pub struct Call<'a> {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: &'a str,
    /// Headers beside `Host` and `Content-Length`.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
    /// How long all of it may take.
    pub timeout: Duration,
}

/// What an endpoint answers.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why an endpoint gave no answer. No URL is in the text.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It is not one that can be called.
    #[error("{0}")]
    Never(String),
    /// It could not be reached.
    #[error("{0}")]
    ForNow(String),
    /// Time was up.
    #[error("it did not answer within {0} seconds")]
    TimeOut(u64),
}

/// Where a URL leads.
struct Place {
    host: String,
    port: u16,
    is_tls: bool,
    /// `user:password` of the URL.
    credentials: Option<String>,
    /// `Host` of the request.
    authority: String,
    path: String,
}

fn never(told: impl Into<String>) -> CallError {
    CallError::Never(told.into())
}

fn for_now(error: impl std::fmt::Display) -> CallError {
    CallError::ForNow(error.to_string())
}

impl Place {
    fn parse(url: &str) -> Option<Place> {
        let uri: Uri = url.parse().ok()?;
        let is_tls = *uri.scheme()? == Scheme::HTTPS;
        let authority = uri.authority()?;
        let credentials = authority.as_str().rsplit_once('@').map(|(text, _)| text.to_owned());
        let shown = authority.as_str().rsplit('@').next()?.to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Place {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            is_tls,
            credentials,
            authority: shown,
            path,
        })
    }
}

impl Way {
    /// A way that trusts these authorities, and leads to these hosts wherever they are.
    fn new(authorities: &[CertificateDer<'static>], allowed_hosts: Vec<String>) -> Way {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Way { tls: TlsConnector::from(Arc::new(config)), allowed_hosts }
    }

    async fn exchange(&self, place: &Place, call: &Call<'_>) -> Result<Answer, CallError> {
        let request = request(place, call)?;
        let addresses = self.addresses(place).await?;
        let stream = TcpStream::connect(&*addresses).await.map_err(for_now)?;
        if !place.is_tls {
            return send(stream, request).await;
        }
        let name = ServerName::try_from(place.host.clone())
            .map_err(|_| never("the host's name is not valid"))?;
        send(self.tls.connect(name, stream).await.map_err(for_now)?, request).await
    }

    /// The addresses of a host that may be called.
    async fn addresses(&self, place: &Place) -> Result<Vec<SocketAddr>, CallError> {
        let Place { host, port, is_tls, .. } = place;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(for_now)?;
        let is_listed = self.allowed_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let may = |address: &SocketAddr| may_be_called(address.ip(), *is_tls, is_listed);
        let addresses: Vec<SocketAddr> = found.filter(may).collect();
        if addresses.is_empty() {
            return Err(never(format!(
                "{host} may not be called: the operator has not listed it (outbound.allowed_hosts)"
            )));
        }
        Ok(addresses)
    }
}

impl Outbound {
    /// Opens the way; the first that is opened stays.
    fn open(&self, way: Way) {
        self.0.get_or_init(|| way);
    }

    /// Whether it is open: what serves has it so.
    pub fn is_open(&self) -> bool {
        self.0.get().is_some()
    }

    /// Calls an endpoint. Where no way was opened it is one that trusts the system's authorities.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let place = Place::parse(call.url).ok_or_else(|| never("the URL is not valid"))?;
        let plain = || Way::new(&rustls_native_certs::load_native_certs().certs, Vec::new());
        let exchange = self.0.get_or_init(plain).exchange(&place, &call);
        let answer = tokio::time::timeout(call.timeout, exchange).await;
        answer.map_err(|_| CallError::TimeOut(call.timeout.as_secs()))?
    }
}

/// Whether an address may be called, over TLS or without, of a host that the operator has listed or
/// not.
fn may_be_called(address: IpAddr, is_tls: bool, is_listed: bool) -> bool {
    !is_nowhere(address) && (is_listed || address.is_loopback() || (is_tls && is_public(address)))
}

/// Whether an address is never called, whoever asks: link-local, or of nobody.
pub fn is_nowhere(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| v4.is_link_local());
            // Where one cloud keeps its metadata in IPv6.
            mapped || v6.is_unicast_link_local() || v6.segments().starts_with(&[0xfd00, 0xec2])
        }
    };
    link_local || address.is_unspecified() || address.is_multicast()
}

fn request(place: &Place, call: &Call<'_>) -> Result<Request<Full<Bytes>>, CallError> {
    let mut request = Request::builder()
        .method(&call.method)
        .uri(&place.path)
        .header(header::HOST, &place.authority);
    for (name, value) in &call.headers {
        // The error would quote the value.
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| never(format!("the value of the header {name} is not valid")))?;
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    if let Some(credentials) = &place.credentials {
        let encoded = STANDARD.encode(credentials);
        request = request.header(header::AUTHORIZATION, format!("Basic {encoded}"));
    }
    let body = Full::new(Bytes::copy_from_slice(call.body));
    request.body(body).map_err(|error| never(error.to_string()))
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, CallError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(for_now)?;
    let mut exchange = std::pin::pin!(async {
        let answer = sender.send_request(request).await.map_err(for_now)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        // An endpoint that answers more than anybody reads has answered all the same.
        let body = beginning(answer.into_body()).await;
        Ok(Answer { status, retry_after, body })
    });
    // The connection goes with the exchange, also when time is up. One that ends first may have
    // brought the answer with its end.
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

/// The beginning of a body, as far as it comes.
async fn beginning(mut body: Incoming) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let room = ANSWER_MAX.saturating_sub(out.len());
        out.extend(data.iter().take(room));
        if room <= data.len() {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_private_networks_are_out_of_reach() {
        let may = |text: &str, tls, listed| may_be_called(text.parse().unwrap(), tls, listed);
        for never in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
        ] {
            assert!(!may(never, true, true), "{never}");
        }
        for private in ["10.0.0.1", "192.168.1.1", "fd12::1"] {
            assert!(!may(private, true, false) && may(private, false, true), "{private}");
        }
        assert!(may("127.0.0.1", false, false) && may("::1", true, false));
        assert!(may("1.1.1.1", true, false) && !may("1.1.1.1", false, false));
    }

    #[test]
    fn a_url_is_taken_apart() {
        let place = Place::parse("https://user:secret@hooks.example.com:8443/a?b=c").unwrap();
        assert_eq!(
            (place.host.as_str(), place.port, place.is_tls),
            ("hooks.example.com", 8443, true)
        );
        assert_eq!(place.credentials.as_deref(), Some("user:secret"));
        assert_eq!(
            (place.authority.as_str(), place.path.as_str()),
            ("hooks.example.com:8443", "/a?b=c")
        );
        let place = Place::parse("http://[::1]").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("::1", 80, "/"));
        assert!(Place::parse("hooks.example.com").is_none());
    }
}
