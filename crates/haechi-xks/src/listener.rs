//! HTTPS in front of the proxy: TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, bounded in every way.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::request::BODY_BYTES_MAX;
use crate::server::{Server, too_large};

/// What callers may take up.
#[derive(Debug, Clone, Copy)]
pub struct ListenerLimits {
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a request's head; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// For a request's body.
    pub body_timeout: Duration,
    /// For running requests to finish once the proxy stops.
    pub drain_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        ListenerLimits {
            connections_max: 2000,
            handshake_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// A bound port.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: TlsAcceptor,
    limits: ListenerLimits,
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// If it cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        tls: Arc<rustls::ServerConfig>,
        limits: ListenerLimits,
    ) -> io::Result<Listener> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, tls: TlsAcceptor::from(tls), limits })
    }

    /// The address, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then lets running requests finish.
    pub async fn run(self, server: Arc<Server>, mut stop: watch::Receiver<bool>) {
        let Listener { socket, tls, limits, .. } = self;
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let shared = Arc::new(Shared { server, tls, limits, stop: stop.clone() });
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        let _place = place;
                        if let Err(error) = shared.connection(stream, peer).await {
                            tracing::debug!(%peer, %error, "a connection to the proxy ended early");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the proxy cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(socket);
        let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
        if timeout(limits.drain_timeout, places.acquire_many(all)).await.is_err() {
            tracing::warn!("some requests to the proxy did not finish in time and were cut off");
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What all connections share.
struct Shared {
    server: Arc<Server>,
    tls: TlsAcceptor,
    limits: ListenerLimits,
    stop: watch::Receiver<bool>,
}

impl Shared {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let stream = timeout(self.limits.handshake_timeout, self.tls.accept(stream)).await??;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(self.limits.head_timeout);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(64)
            .keep_alive_interval(self.limits.head_timeout)
            .keep_alive_timeout(self.limits.handshake_timeout);
        let service = service_fn(|request| Arc::clone(&self).request(peer, request));
        let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
        let mut stop = self.stop.clone();
        tokio::select! {
            ended = serving.as_mut() => return ended,
            _ = stop.wait_for(|stop| *stop) => {}
        }
        serving.as_mut().graceful_shutdown();
        serving.await
    }

    async fn request(
        self: Arc<Self>,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let reading = Limited::new(body, BODY_BYTES_MAX).collect();
        let body = match timeout(self.limits.body_timeout, reading).await? {
            Ok(body) => Zeroizing::new(body.to_bytes().to_vec()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(too_large());
            }
            Err(error) => return Err(error),
        };
        Ok(self.server.answer(peer.ip(), &parts, &body).await)
    }
}
