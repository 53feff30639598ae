//! Documents over real TLS: which servers are believed, and what of them is taken.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use haechi_sts::{Fetch, FetchError, Https, HttpsOptions};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server with a certificate for `localhost`, signed by an authority of its own.
struct Server {
    address: SocketAddr,
    authority: CertificateDer<'static>,
}

fn sha1(certificate: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    hash.as_ref().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02X}");
        out
    })
}

impl Server {
    /// One whose own certificate is an authority's, as `openssl req -x509` makes it.
    async fn signing_for_itself(answer: String, ends: i32) -> Server {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(ends, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Server::serving(vec![certificate.clone()], certificate, &key, answer).await
    }

    async fn answering(answer: String) -> Server {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let authority = authority.der().clone();
        let chain = vec![certificate.der().clone(), authority.clone()];
        Server::serving(chain, authority, &key, answer).await
    }

    async fn serving(
        chain: Vec<CertificateDer<'static>>,
        authority: CertificateDer<'static>,
        key: &KeyPair,
        answer: String,
    ) -> Server {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                assert!(request[..read].starts_with(b"GET /doc?x=1 HTTP/1.1\r\n"));
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Server { address, authority }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/doc?x=1", self.address.port())
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn get(
    options: HttpsOptions,
    url: &str,
    thumbprints: &[String],
) -> Result<Vec<u8>, FetchError> {
    Https::new(options).get(url, thumbprints, 1000).await
}

fn trusting(server: &Server) -> HttpsOptions {
    HttpsOptions { authorities: vec![server.authority.clone()], hosts: None }
}

#[tokio::test]
async fn an_unknown_authority_is_believed_only_by_its_thumbprint_or_the_operator() {
    let server = Server::answering(ok("hello")).await;
    let (url, unknown) = (server.url("localhost"), HttpsOptions::default());
    assert_eq!(get(unknown.clone(), &url, &[]).await, Err(FetchError::Untrusted));
    let other = ["AB".repeat(20)];
    assert_eq!(get(unknown.clone(), &url, &other).await, Err(FetchError::Untrusted));
    let named = [sha1(&server.authority)];
    assert_eq!(get(unknown, &url, &named).await.unwrap(), b"hello");
    assert_eq!(get(trusting(&server), &url, &[]).await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_certificate_that_a_server_signed_itself_counts_by_its_thumbprint_its_name_and_its_time()
{
    let server = Server::signing_for_itself(ok("hello"), 2999).await;
    let (url, unknown) = (server.url("localhost"), HttpsOptions::default());
    let named = [sha1(&server.authority)];
    assert_eq!(get(unknown.clone(), &url, &[]).await, Err(FetchError::Untrusted));
    assert_eq!(get(unknown.clone(), &url, &named).await.unwrap(), b"hello");
    // Beside authorities that are known, too.
    let other = trusting(&Server::answering(ok("")).await);
    assert_eq!(get(other, &url, &named).await.unwrap(), b"hello");
    let refused = get(unknown.clone(), &server.url("127.0.0.1"), &named).await;
    assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
    let over = Server::signing_for_itself(ok("hello"), 2001).await;
    let refused = get(unknown, &over.url("localhost"), &[sha1(&over.authority)]).await;
    assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_whatever_its_thumbprint() {
    let server = Server::answering(ok("hello")).await;
    let url = server.url("127.0.0.1");
    let named = [sha1(&server.authority)];
    for options in [HttpsOptions::default(), trusting(&server)] {
        let refused = get(options, &url, &named).await;
        assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn redirects_and_errors_are_not_followed() {
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: https://localhost/\r\ncontent-length: 0\r\n\r\n";
    let server = Server::answering(redirect.to_owned()).await;
    let refused = get(trusting(&server), &server.url("localhost"), &[]).await;
    assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
    let failing = "HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n";
    let server = Server::answering(failing.to_owned()).await;
    let refused = get(trusting(&server), &server.url("localhost"), &[]).await;
    assert!(matches!(refused, Err(FetchError::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    for body in ["x".repeat(1001), "x".repeat(1 << 20)] {
        let server = Server::answering(ok(&body)).await;
        let refused = get(trusting(&server), &server.url("localhost"), &[]).await;
        assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn only_https_to_hosts_that_are_allowed_is_spoken() {
    let server = Server::answering(ok("hello")).await;
    let url = server.url("localhost");
    for url in [
        url.replace("https", "http"),
        url.replace("localhost", "user@localhost"),
        url.replace("localhost", "169.254.169.254"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let refused = get(trusting(&server), &url, &[]).await;
        assert!(matches!(refused, Err(FetchError::Unusable(_))), "{url}: {refused:?}");
    }
    let hosts = Some(vec!["idp.example".to_owned()]);
    let refused = get(HttpsOptions { hosts, ..trusting(&server) }, &url, &[]).await;
    assert!(matches!(refused, Err(FetchError::Unusable(_))), "{refused:?}");
    let hosts = Some(vec!["localhost".to_owned()]);
    assert!(get(HttpsOptions { hosts, ..trusting(&server) }, &url, &[]).await.is_ok());
}
