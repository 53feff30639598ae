//! Posts to HTTP endpoints: to addresses that may be called, within a time, and no further than
//! the first answer.
//!
//! Whoever may subscribe makes the server connect to a host of their choice. So names that lead
//! into private networks are not followed unless the operator has listed the host, link-local
//! addresses (where clouds keep their metadata) never; and without TLS only this machine and listed
//! hosts are called.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haechi_sns::{HttpMessage, Refusal};
use haechi_wire::Fault;
use haechi_xks::address::is_public;
use http::uri::Scheme;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long an endpoint may take in all: what AWS gives it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of an answer that are read; nobody looks at them.
const ANSWER_MAX: usize = 64 * 1024;

/// The way to HTTP endpoints.
pub struct Http {
    tls: TlsConnector,
    allowed_hosts: Vec<String>,
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

fn permanent(told: impl Into<String>) -> Refusal {
    Refusal::Permanent(told.into())
}

fn temporary(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Refusal {
    let message = "The endpoint could not be reached.";
    Refusal::Temporary(Fault::Unavailable { message, source: error.into() })
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

impl Http {
    /// A way that trusts these authorities, and leads to these hosts wherever they are.
    pub fn new(authorities: &[CertificateDer<'static>], allowed_hosts: Vec<String>) -> Http {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Http { tls: TlsConnector::from(Arc::new(config)), allowed_hosts }
    }

    /// Posts a message.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn post(&self, message: HttpMessage) -> Result<(), Refusal> {
        let place = Place::parse(&message.url).ok_or_else(|| permanent("the URL is not valid"))?;
        let exchange = self.exchange(&place, &message);
        let status = tokio::time::timeout(TIMEOUT, exchange).await.map_err(temporary)??;
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS => Err(temporary("it answered 429")),
            status if status.is_client_error() => {
                Err(permanent(format!("it answered {}", status.as_u16())))
            }
            status => Err(temporary(format!("it answered {}", status.as_u16()))),
        }
    }

    async fn exchange(&self, place: &Place, message: &HttpMessage) -> Result<StatusCode, Refusal> {
        let addresses = self.addresses(place).await?;
        let stream = TcpStream::connect(&*addresses).await.map_err(temporary)?;
        let request = request(place, message)?;
        if !place.is_tls {
            return send(stream, request).await;
        }
        let name = ServerName::try_from(place.host.clone())
            .map_err(|_| permanent("the host's name is not valid"))?;
        send(self.tls.connect(name, stream).await.map_err(temporary)?, request).await
    }

    /// The addresses of a host that may be called.
    async fn addresses(&self, place: &Place) -> Result<Vec<SocketAddr>, Refusal> {
        let Place { host, port, is_tls, .. } = place;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(temporary)?;
        let is_listed = self.allowed_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let may = |address: &SocketAddr| may_be_called(address.ip(), *is_tls, is_listed);
        let addresses: Vec<SocketAddr> = found.filter(may).collect();
        if addresses.is_empty() {
            return Err(permanent(format!(
                "{host} may not be called: the operator has not listed it (sns.allowed_hosts)"
            )));
        }
        Ok(addresses)
    }
}

/// Whether an address may be called, over TLS or without, of a host that the operator has listed or
/// not.
fn may_be_called(address: IpAddr, is_tls: bool, is_listed: bool) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| v4.is_link_local());
            // Where one cloud keeps its metadata in IPv6.
            mapped || v6.is_unicast_link_local() || v6.segments().starts_with(&[0xfd00, 0xec2])
        }
    };
    let nowhere = address.is_unspecified() || address.is_multicast();
    if link_local || nowhere {
        return false;
    }
    is_listed || address.is_loopback() || (is_tls && is_public(address))
}

fn request(place: &Place, message: &HttpMessage) -> Result<Request<Full<Bytes>>, Refusal> {
    let mut request = Request::post(&place.path).header(header::HOST, &place.authority);
    for (name, value) in &message.headers {
        request = request.header(*name, value);
    }
    if let Some(credentials) = &place.credentials {
        let encoded = STANDARD.encode(credentials);
        request = request.header(header::AUTHORIZATION, format!("Basic {encoded}"));
    }
    let body = Full::new(Bytes::from(message.body.clone()));
    request.body(body).map_err(|error| permanent(error.to_string()))
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Refusal> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(temporary)?;
    let mut exchange = std::pin::pin!(async {
        let answer = sender.send_request(request).await.map_err(temporary)?;
        let status = answer.status();
        // An endpoint that answers more than anybody reads has answered all the same.
        let _ = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        Ok(status)
    });
    // The connection goes with the exchange, also when time is up. One that ends first may have
    // brought the answer with its end.
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
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
