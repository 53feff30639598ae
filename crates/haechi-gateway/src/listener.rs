//! TCP, TLS or plain, HTTP/1.1 or HTTP/2, all on one port.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::answer::Body;
use crate::body::{self, BodyError};
use crate::finish::Finish;
use crate::serve::{Connection, Gateway, Tls};

/// First byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client that speaks plain HTTP is told where only TLS is allowed.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 89\r\nConnection: close\r\n\r\n\
    This port speaks HTTPS. Plain HTTP is allowed with --dev or listen.plaintext = true only.";

/// Bytes that are read from a client that spoke plain HTTP, so that it reads our answer.
const PLAIN_BYTES_MAX: u64 = 64 * 1024;

/// How long a client that spoke plain HTTP may take to hang up.
const HANG_UP: Duration = Duration::from_secs(1);

/// Why the port cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address}: {source}. Is another haechi running? --listen ADDRESS chooses another"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Plain HTTP was asked for on an address that others can reach.
    #[error(
        "plain HTTP is served on loopback only, and {address} is not: use TLS, or listen on 127.0.0.1"
    )]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
}

/// A bound port.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: TlsAcceptor,
    plaintext: bool,
}

/// A bound port that outlives a [`Listener`], so that another one can go on with it.
pub struct Port(std::net::TcpListener);

impl Listener {
    /// Binds `address`. With `plaintext`, plain HTTP is answered too.
    ///
    /// # Errors
    /// If it cannot be bound, or is not on loopback although `plaintext` is on.
    pub async fn bind(
        address: SocketAddr,
        tls: Arc<rustls::ServerConfig>,
        plaintext: bool,
    ) -> Result<Listener, ListenerError> {
        if plaintext && !address.ip().is_loopback() {
            return Err(ListenerError::NotLoopback { address });
        }
        let bind = |source| ListenerError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Listener { socket, address, tls: TlsAcceptor::from(tls), plaintext })
    }

    /// The bound port by itself: whoever connects while nobody serves there waits.
    ///
    /// # Errors
    /// If the process has too many files open.
    pub fn port(&self) -> io::Result<Port> {
        Ok(Port(std::os::fd::AsFd::as_fd(&self.socket).try_clone_to_owned()?.into()))
    }

    /// As [`Self::bind`], at a port that is bound already.
    ///
    /// # Errors
    /// If the process has too many files open.
    pub fn at(
        port: &Port,
        tls: Arc<rustls::ServerConfig>,
        plaintext: bool,
    ) -> io::Result<Listener> {
        let socket = TcpListener::from_std(port.0.try_clone()?)?;
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, tls: TlsAcceptor::from(tls), plaintext })
    }

    /// The address, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then lets running requests finish.
    pub async fn run(self, gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
        let limits = gateway.limits;
        let connections = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let serving = Arc::new(Serving {
            http: http(&gateway),
            tls: self.tls,
            plaintext: self.plaintext,
            room: Arc::new(Semaphore::new(limits.bodies_bytes_max / 1024)),
            stop: stop.clone(),
            gateway,
        });
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.socket, &places) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    tokio::spawn(Arc::clone(&serving).connection(stream, peer, place));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: let some connections end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        // New ones are refused from here on. Every place is free once every call is done.
        drop(self.socket);
        if timeout(limits.drain_timeout, places.acquire_many(connections)).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(socket: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    Ok((stream, peer, place))
}

fn http(gateway: &Gateway) -> auto::Builder<TokioExecutor> {
    let limits = &gateway.limits;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.head_timeout)
        .keep_alive_timeout(limits.handshake_timeout);
    builder
}

/// What all connections share.
struct Serving {
    gateway: Arc<Gateway>,
    http: auto::Builder<TokioExecutor>,
    tls: TlsAcceptor,
    plaintext: bool,
    /// A permit for each KiB of large bodies.
    room: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Serving {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        self.gateway.metrics.connections.inc();
        if let Err(error) = self.begin(stream, peer.ip(), place).await {
            tracing::debug!(%peer, %error, "a connection ended early");
        }
        self.gateway.metrics.connections.dec();
    }

    /// TLS or plain, by the first byte.
    async fn begin(
        self: &Arc<Self>,
        mut stream: TcpStream,
        peer: IpAddr,
        place: OwnedSemaphorePermit,
    ) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let limits = &self.gateway.limits;
        let mut stop = self.stop.clone();
        let mut first = [0];
        let peeked = tokio::select! {
            peeked = timeout(limits.head_timeout, stream.peek(&mut first)) => peeked??,
            _ = stop.wait_for(|stop| *stop) => 0,
        };
        if peeked == 0 {
            return Ok(());
        }
        if first == [TLS_HANDSHAKE] {
            let stream = timeout(limits.handshake_timeout, self.tls.accept(stream)).await??;
            let tls = negotiated(stream.get_ref().1);
            return self.requests(stream, Connection::placed(peer, Some(tls), place)).await;
        }
        if self.plaintext {
            return self.requests(stream, Connection::placed(peer, None, place)).await;
        }
        stream.write_all(SPEAK_TLS).await?;
        stream.shutdown().await?;
        // Closing while there is something unread would take our answer back.
        let mut rest = stream.take(PLAIN_BYTES_MAX);
        timeout(HANG_UP, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await??;
        Ok(())
    }

    /// Serves until the client goes, the server stops, or nothing happens for too long: also
    /// where hyper has no time-out, before the first byte and in HTTP/2.
    async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: &Arc<Self>,
        stream: S,
        connection: Connection,
    ) -> Result<(), Failure> {
        let connection = Arc::new(connection);
        let begun = AtomicU64::new(0);
        let service = service_fn(|request| {
            begun.fetch_add(1, Ordering::Relaxed);
            Arc::clone(self).request(Arc::clone(&connection), request)
        });
        let mut serving = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut stop = self.stop.clone();
        let (mut stopping, mut seen) = (false, 0);
        loop {
            tokio::select! {
                biased;
                ended = serving.as_mut() => return ended,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    serving.as_mut().graceful_shutdown();
                }
                () = tokio::time::sleep(self.gateway.limits.head_timeout) => {
                    let now = begun.load(Ordering::Relaxed);
                    // Beyond the connection and its service, whoever has a share runs a call.
                    if now == seen && Arc::strong_count(&connection) == 1 {
                        return Err("the connection was idle".into());
                    }
                    seen = now;
                }
            }
        }
    }

    async fn request(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Gone> {
        let (parts, incoming) = request.into_parts();
        let gateway = Arc::clone(&self.gateway);
        let waits = parts.headers.contains_key(http::header::EXPECT);
        let bytes_max = gateway.body_bytes_max(&parts, incoming.size_hint().lower());
        match body::read(incoming, &gateway.limits, bytes_max, &self.room, waits).await {
            Ok(body) => {
                let call = async move {
                    let handled = gateway.handle(&connection, &parts, &body.bytes.0).await;
                    drop((parts, body));
                    gateway.settle(handled).await
                };
                Ok(Finish::new(call).await)
            }
            Err(BodyError::Gone) => Err(Gone),
            Err(BodyError::Fault(fault)) => Ok(gateway.refuse(&parts, &[], fault)),
        }
    }
}

/// The client went away or was too slow: nothing can be answered.
#[derive(Debug, thiserror::Error)]
#[error("the client closed the connection or was too slow")]
struct Gone;

fn negotiated(session: &rustls::ServerConnection) -> Tls {
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    // CloudTrail writes TLS 1.3 suites without rustls's number: TLS_AES_128_GCM_SHA256.
    let cipher_suite = suite.unwrap_or_default().replacen("TLS13_", "TLS_", 1);
    Tls { version, cipher_suite }
}
