//! One document over HTTPS.
//!
//! Who may register providers decides where haechi goes, so it goes carefully: HTTPS only, with a
//! verified certificate; no redirects, cookies or credentials; one time limit for all; a size
//! limit; addresses are looked up once, and link-local ones (a cloud's metadata service) and
//! those of groups are never connected to. Private and loopback addresses are, because that is
//! where clusters issue their tokens; `hosts` narrows it where that is too wide. Nothing of an
//! answer reaches a caller but whether it was a key set.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::web_identity::key_sets::{Fetch, FetchError};
use crate::web_identity::pinned::{Pinned, Untrusted};

/// From the look-up of the name to the last byte, as AWS waits.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The metadata service of Amazon EC2 by IPv6.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// What the operator says of it.
#[derive(Debug, Clone, Default)]
pub struct HttpsOptions {
    /// Authorities that count beside the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The hosts that may be asked, `idp.example` or `*.example`; `None` is any.
    pub hosts: Option<Vec<String>>,
}

/// Gets documents over HTTPS.
pub struct Https {
    options: HttpsOptions,
    provider: Arc<CryptoProvider>,
    /// Read when first needed: most installations never are.
    roots: OnceLock<RootCertStore>,
}

fn unreachable(error: impl std::fmt::Display) -> FetchError {
    FetchError::Unreachable(error.to_string())
}

fn unusable(what: impl Into<String>) -> FetchError {
    FetchError::Unusable(what.into())
}

impl Https {
    /// With the system's authorities and those of the operator.
    pub fn new(options: HttpsOptions) -> Https {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Https { options, provider, roots: OnceLock::new() }
    }

    fn roots(&self) -> &RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let system = rustls_native_certs::load_native_certs();
            for error in &system.errors {
                tracing::warn!(%error, "some of the system's certificate authorities are missing");
            }
            roots.add_parsable_certificates(system.certs);
            roots.add_parsable_certificates(self.options.authorities.iter().cloned());
            roots
        })
    }

    fn may_ask(&self, host: &str) -> bool {
        let Some(hosts) = &self.options.hosts else { return true };
        hosts.iter().any(|allowed| match allowed.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => {
                host.len() > suffix.len()
                    && host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase())
            }
            _ => allowed.eq_ignore_ascii_case(host),
        })
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
        thumbprints: &[String],
    ) -> Result<TlsStream<TcpStream>, FetchError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((bare, port)).await.map_err(unreachable)?;
        let addresses: Vec<SocketAddr> = found.filter(|found| !is_forbidden(found.ip())).collect();
        if addresses.is_empty() {
            return Err(unusable("its name leads to no address that may be connected to"));
        }
        let stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
        let verifier = Pinned::new(self.roots(), thumbprints, Arc::clone(&self.provider));
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(unreachable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| unusable("its host is no name that a certificate could have"))?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(untrusted)
    }

    async fn document(
        &self,
        url: &str,
        thumbprints: &[String],
        bytes_max: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let uri: Uri = url.parse().map_err(|_| unusable("its address is no URL"))?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https"));
        let authority = authority.filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or_else(|| unusable("its address is not https://…"))?;
        let host = authority.host();
        if !self.may_ask(host) {
            return Err(unusable("its host is not among those that the configuration allows"));
        }
        let stream = self.connect(host, authority.port_u16().unwrap_or(443), thumbprints).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::get(path)
            .header(header::HOST, authority.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "haechi")
            .body(Empty::<Bytes>::new())
            .map_err(|error| unusable(error.to_string()))?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(unreachable)?;
            match response.status() {
                StatusCode::OK => {}
                status if status.is_server_error() => return Err(unreachable(status)),
                status => return Err(unusable(format!("it answers {status}"))),
            }
            let body = Limited::new(response.into_body(), bytes_max).collect().await;
            let body = body.map_err(|error| unusable(error.to_string()))?;
            Ok(body.to_bytes().to_vec())
        };
        tokio::pin!(connection);
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            ended = &mut connection => match ended {
                // The connection may end with the answer.
                Ok(()) => exchange.await,
                Err(error) => Err(unreachable(error)),
            },
        }
    }
}

#[async_trait]
impl Fetch for Https {
    async fn get(
        &self,
        url: &str,
        thumbprints: &[String],
        bytes_max: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let document = self.document(url, thumbprints, bytes_max);
        let late = |_| FetchError::Unreachable("it does not answer within 5 seconds".to_owned());
        tokio::time::timeout(TIMEOUT, document).await.map_err(late)?
    }
}

/// A failed handshake: nobody speaks for the certificate, or something else.
fn untrusted(error: io::Error) -> FetchError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)))
            if other.0.is::<Untrusted>() =>
        {
            FetchError::Untrusted
        }
        Some(rustls::Error::InvalidCertificate(error)) => {
            unusable(format!("its certificate is not valid: {error}"))
        }
        _ => unreachable(error),
    }
}

fn is_forbidden(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_link_local()
                || address.is_multicast()
                || address.is_unspecified()
                || address.is_broadcast()
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.is_multicast()
                || address.is_unspecified()
                || address == METADATA
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_metadata_services_and_groups_are_forbidden_and_private_ones_are_not() {
        let forbidden = |text: &str| is_forbidden(text.parse().unwrap());
        for text in ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"] {
            assert!(forbidden(text), "{text}");
        }
        for text in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert!(forbidden(text), "{text}");
        }
        for text in ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "140.82.112.3"] {
            assert!(!forbidden(text), "{text}");
        }
    }

    #[test]
    fn a_list_of_hosts_allows_names_and_what_is_below_them() {
        let hosts = Some(vec!["idp.example".to_owned(), "*.corp.example".to_owned()]);
        let https = Https::new(HttpsOptions { authorities: Vec::new(), hosts });
        for host in ["idp.example", "IDP.example", "a.corp.example", "a.b.CORP.example"] {
            assert!(https.may_ask(host), "{host}");
        }
        for host in ["corp.example", ".corp.example", "xcorp.example", "idp.example.evil", "x"] {
            assert!(!https.may_ask(host), "{host}");
        }
        assert!(Https::new(HttpsOptions::default()).may_ask("anything"));
    }
}
