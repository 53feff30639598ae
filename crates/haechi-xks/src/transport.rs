//! HTTPS to a proxy: its certificate verified, within the time that KMS allows, over connections
//! that are kept.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::address::is_public;
use crate::request::BODY_BYTES_MAX;

/// The port of every proxy, unless the operator says otherwise.
const PORT: u16 = 443;

/// How long KMS waits for a proxy: connection, handshake and answer together.
pub const TIMEOUT: Duration = Duration::from_millis(250);

/// Connections that are kept for one proxy while nobody uses them.
const IDLE_MAX: usize = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection: no such name, an address that may not be called, refused, too slow.
    #[error("no connection to the proxy: {0}")]
    Unreachable(String),
    /// The TLS handshake failed, for its certificate most likely.
    #[error("no TLS connection to the proxy: {0}")]
    Tls(String),
    /// It did not answer in time.
    #[error("the proxy did not answer in time")]
    TimedOut,
    /// It answered no HTTP, or broke off.
    #[error("the proxy's answer cannot be read: {0}")]
    Malformed(String),
}

/// Where a proxy is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its address, where the operator has said it; else the name is looked up, and only public
    /// addresses are called.
    pub address: Option<SocketAddr>,
}

/// What carries requests to proxies.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a request, answers status and body.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn send(
        &self,
        place: &Place,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportError>;
}

/// What KMS shows proxies that ask who calls.
pub struct Identity {
    /// The certificate, and those between it and an authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub private_key: PrivateKeyDer<'static>,
}

/// How to reach proxies.
pub struct HttpsOptions {
    /// Authorities whose certificates count; `None` means those that the machine trusts.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// How long a request may take in all.
    pub timeout: Duration,
    /// Shown to proxies that ask for a certificate.
    pub identity: Option<Identity>,
}

impl Default for HttpsOptions {
    fn default() -> Self {
        HttpsOptions { authorities: None, timeout: TIMEOUT, identity: None }
    }
}

type Sender = SendRequest<Full<Bytes>>;

/// The real network.
pub struct Https {
    tls: TlsConnector,
    timeout: Duration,
    idle: Mutex<HashMap<Place, Vec<Sender>>>,
}

impl Https {
    /// Connections that trust the authorities of `options`.
    ///
    /// # Errors
    /// If a certificate cannot be read, or there is none at all.
    pub fn new(options: HttpsOptions) -> io::Result<Https> {
        let mut roots = RootCertStore::empty();
        match options.authorities {
            Some(authorities) => {
                for certificate in authorities {
                    roots.add(certificate).map_err(io::Error::other)?;
                }
            }
            None => {
                // One that cannot be read takes nothing from the others.
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
            }
        }
        let config = ClientConfig::builder().with_root_certificates(roots);
        let config = match options.identity {
            None => config.with_no_client_auth(),
            Some(own) => {
                let config = config.with_client_auth_cert(own.chain, own.private_key);
                config.map_err(io::Error::other)?
            }
        };
        let (tls, timeout) = (TlsConnector::from(Arc::new(config)), options.timeout);
        Ok(Https { tls, timeout, idle: Mutex::default() })
    }

    fn kept(&self, place: &Place) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = idle.get_mut(place)?;
        while let Some(sender) = senders.pop() {
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, place: &Place, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = idle.entry(place.clone()).or_default();
        senders.retain(|sender| !sender.is_closed());
        if senders.len() < IDLE_MAX {
            senders.push(sender);
        }
    }

    async fn connect(&self, place: &Place, reached: &AtomicBool) -> Result<Sender, TransportError> {
        let unreachable = |error: io::Error| TransportError::Unreachable(error.to_string());
        let tls_failed = |error: &dyn std::fmt::Display| TransportError::Tls(error.to_string());
        let stream = tcp(place).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        reached.store(true, Ordering::Relaxed);
        let name = ServerName::try_from(place.host.clone()).map_err(|error| tls_failed(&error))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| tls_failed(&error))?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(malformed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an external key store proxy ended");
            }
        });
        Ok(sender)
    }

    async fn exchange(
        &self,
        place: &Place,
        request: Request<Full<Bytes>>,
        reached: &AtomicBool,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        // The proxy may have closed a kept connection meanwhile; asking twice harms nothing.
        if let Some(sender) = self.kept(place) {
            reached.store(true, Ordering::Relaxed);
            if let Ok(answer) = self.over(place, sender, request.clone()).await {
                return Ok(answer);
            }
            reached.store(false, Ordering::Relaxed);
        }
        let sender = self.connect(place, reached).await?;
        self.over(place, sender, request).await
    }

    async fn over(
        &self,
        place: &Place,
        mut sender: Sender,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        sender.ready().await.map_err(malformed)?;
        let answer: Response<Incoming> = sender.send_request(request).await.map_err(malformed)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| TransportError::Malformed(error.to_string()))?;
        self.keep(place, sender);
        Ok((status, body.to_bytes().to_vec()))
    }
}

fn malformed(error: hyper::Error) -> TransportError {
    TransportError::Malformed(error.to_string())
}

async fn tcp(place: &Place) -> io::Result<TcpStream> {
    if let Some(address) = place.address {
        return TcpStream::connect(address).await;
    }
    let found = tokio::net::lookup_host((place.host.as_str(), PORT)).await?;
    let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
    if public.is_empty() {
        let message = "its name leads to no public address; the operator can name its address";
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, message));
    }
    TcpStream::connect(&*public).await
}

#[async_trait]
impl Transport for Https {
    async fn send(
        &self,
        place: &Place,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        let reached = AtomicBool::new(false);
        let exchange = self.exchange(place, request, &reached);
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) if reached.load(Ordering::Relaxed) => Err(TransportError::TimedOut),
            Err(_) => Err(TransportError::Unreachable("no connection in time".to_owned())),
        }
    }
}
