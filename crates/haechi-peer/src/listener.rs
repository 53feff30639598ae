//! Being asked: TLS 1.3 with a peer's certificate, or nothing at all is said.

mod handshakes;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use handshakes::Handshakes;

use crate::message::{Answer, MESSAGE_BYTES_MAX, Refusal, Subject};
use crate::peers::{Peer, Peers};
use crate::tls;

/// What peers may take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections of peers at a time.
    pub connections_max: usize,
    /// Handshakes at a time, of peers and strangers: beyond it the oldest is given up.
    pub handshakes_max: usize,
    /// Messages of one peer in a second, on average and at once.
    pub messages_per_second: u32,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// How long a message may take to arrive.
    pub body_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: 64,
            handshakes_max: 256,
            messages_per_second: 200,
            handshake_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(15),
        }
    }
}

/// Who takes messages.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Takes one, from the peer that its certificate shows.
    ///
    /// # Errors
    /// Why not.
    async fn take(&self, from: &Peer, subject: Subject, body: &[u8]) -> Result<Answer, Refusal>;
}

/// A port for peers.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: TlsAcceptor,
    limits: Limits,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    /// If it cannot be had, or the own certificate cannot be used.
    pub async fn bind(address: SocketAddr, peers: &Arc<Peers>, limits: Limits) -> io::Result<Self> {
        let config = tls::server(peers.identity(), peers).map_err(io::Error::other)?;
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, tls: TlsAcceptor::from(Arc::new(config)), limits })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true. What is cut off then is sent again by the peer.
    pub async fn run(
        self,
        peers: Arc<Peers>,
        inbox: Arc<dyn Inbox>,
        mut stop: watch::Receiver<bool>,
    ) {
        let Listener { socket, tls, limits, .. } = self;
        let (places, rates) = (Semaphore::new(limits.connections_max), Mutex::default());
        let handshakes = Handshakes::new(limits.handshakes_max);
        let shared = Arc::new(Shared { peers, inbox, tls, limits, places, handshakes, rates });
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((stream, from)) => {
                    let (shared, mut stop) = (Arc::clone(&shared), stop.clone());
                    tokio::spawn(async move {
                        let ended = tokio::select! {
                            ended = shared.connection(stream) => ended,
                            _ = stop.wait_for(|stop| *stop) => Ok(()),
                        };
                        if let Err(error) = ended {
                            tracing::debug!(%from, %error, "a peer's connection ended early");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "peers cannot connect");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How much of its rate a peer has left.
#[derive(Clone, Copy)]
struct Rate {
    left: f64,
    at: Instant,
}

/// What all connections share.
struct Shared {
    peers: Arc<Peers>,
    inbox: Arc<dyn Inbox>,
    tls: TlsAcceptor,
    limits: Limits,
    places: Semaphore,
    handshakes: Handshakes,
    rates: Mutex<HashMap<String, Rate>>,
}

impl Shared {
    async fn connection(self: &Arc<Self>, stream: TcpStream) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let mut handshake = self.handshakes.begin();
        let stream = tokio::select! {
            accepted = timeout(self.limits.handshake_timeout, self.tls.accept(stream)) => accepted??,
            () = handshake.given_up() => return Err("too many handshakes".into()),
        };
        drop(handshake);
        // Whoever comes here is a peer.
        let _place = self.places.acquire().await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = certificates.first().ok_or("no certificate")?.to_vec();
        let service = service_fn(|request| {
            let (shared, certificate) = (Arc::clone(self), certificate.clone());
            async move { shared.request(&certificate, request).await }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.limits.handshake_timeout);
        http.keep_alive(false).max_buf_size(64 << 10);
        Ok(http.serve_connection(TokioIo::new(stream), service).await?)
    }

    async fn request(
        &self,
        certificate: &[u8],
        request: Request<Incoming>,
    ) -> io::Result<Response<Full<Bytes>>> {
        // Who was a peer when the connection began may be none any more.
        let peer = self.peers.by_certificate(certificate);
        let peer = peer.ok_or_else(|| io::Error::other("a peer that was removed"))?;
        let Some(subject) = Subject::of(request.uri().path()) else {
            return refused(StatusCode::NOT_FOUND, &Refusal::new("no such subject"));
        };
        if request.method() != Method::POST {
            return refused(StatusCode::METHOD_NOT_ALLOWED, &Refusal::new("messages are posted"));
        }
        if !self.admit(peer.id()) {
            return refused(StatusCode::TOO_MANY_REQUESTS, &Refusal::new("too many messages"));
        }
        let reading = Limited::new(request.into_body(), MESSAGE_BYTES_MAX).collect();
        let body = match timeout(self.limits.body_timeout, reading).await? {
            Ok(body) => Zeroizing::new(body.to_bytes().to_vec()),
            Err(error) if error.is::<LengthLimitError>() => {
                let refusal = Refusal::new("the message is too long");
                return refused(StatusCode::PAYLOAD_TOO_LARGE, &refusal);
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        if subject == Subject::Ping {
            return Ok(Response::new(Full::default()));
        }
        match self.inbox.take(&peer, subject, &body).await {
            Ok(answer) => Ok(Response::new(Full::from(answer))),
            Err(refusal) => {
                let (name, why) = (&peer.card.name, &refusal.why);
                tracing::info!(peer = name, ?subject, why, "a message of a peer was refused");
                refused(StatusCode::CONFLICT, &refusal)
            }
        }
    }

    /// Whether a peer may send another message now.
    fn admit(&self, peer: &str) -> bool {
        let most = f64::from(self.limits.messages_per_second);
        let now = Instant::now();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = rates.entry(peer.to_owned()).or_insert(Rate { left: most, at: now });
        let gained = now.duration_since(rate.at).as_secs_f64() * most;
        *rate = Rate { left: (rate.left + gained).min(most), at: now };
        if rate.left < 1.0 {
            return false;
        }
        rate.left -= 1.0;
        true
    }
}

fn refused(status: StatusCode, refusal: &Refusal) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::from(serde_json::to_vec(refusal)?));
    *response.status_mut() = status;
    Ok(response)
}

#[cfg(test)]
mod tests;
