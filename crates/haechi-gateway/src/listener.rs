//! TCP, TLS or plain, HTTP/1.1 or HTTP/2, all on one port.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::Gateway;
use crate::record::Tls;
use crate::serve::Connection;

/// First byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client that speaks plain HTTP is told where only TLS is allowed.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 89\r\nConnection: close\r\n\r\n\
    This port speaks HTTPS. Plain HTTP is allowed with --dev or listen.plaintext = true only.";

/// Why the port cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}. Is another haechi running? --listen ADDRESS chooses another")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Plain HTTP was asked for on an address that others can reach.
    #[error("plain HTTP is served on loopback only, and {address} is not: use TLS, or listen on 127.0.0.1")]
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

    /// The address, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then lets running requests finish.
    pub async fn run(self, gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(gateway.limits.connections_max));
        let graceful = GracefulShutdown::new();
        let serving = Arc::new(Serving {
            http: http(&gateway),
            tls: self.tls,
            plaintext: self.plaintext,
            gateway,
        });
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.socket, &permits) => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let (serving, watcher) = (Arc::clone(&serving), graceful.watcher());
                    tokio::spawn(async move {
                        serving.gateway.metrics.connections.inc();
                        if let Err(error) = serving.connection(stream, peer.ip(), watcher).await {
                            tracing::debug!(%peer, %error, "a connection ended early");
                        }
                        serving.gateway.metrics.connections.dec();
                        drop(permit);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: let some connections end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
        let drain = serving.gateway.limits.drain_timeout;
        if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(socket: &TcpListener, permits: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(permits).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    Ok((stream, peer, permit))
}

fn http(gateway: &Gateway) -> auto::Builder<TokioExecutor> {
    let limits = &gateway.limits;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .pipeline_flush(true);
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
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Serving {
    async fn connection(
        &self,
        mut stream: TcpStream,
        peer: IpAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) -> Result<(), Failure> {
        stream.set_nodelay(true)?;
        let limits = &self.gateway.limits;
        let mut first = [0];
        if tokio::time::timeout(limits.head_timeout, stream.peek(&mut first)).await?? == 0 {
            return Ok(());
        }
        if first == [TLS_HANDSHAKE] {
            let handshake = self.tls.accept(stream);
            let stream = tokio::time::timeout(limits.handshake_timeout, handshake).await??;
            let tls = negotiated(stream.get_ref().1);
            return self.requests(stream, Connection { peer, tls: Some(tls) }, watcher).await;
        }
        if !self.plaintext {
            stream.write_all(SPEAK_TLS).await?;
            return Ok(stream.shutdown().await?);
        }
        self.requests(stream, Connection { peer, tls: None }, watcher).await
    }

    async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        connection: Connection,
        watcher: hyper_util::server::graceful::Watcher,
    ) -> Result<(), Failure> {
        let connection = Arc::new(connection);
        let service = service_fn(|request| {
            let (gateway, connection) = (Arc::clone(&self.gateway), Arc::clone(&connection));
            async move { gateway.serve(&connection, request).await }
        });
        let serving = self.http.serve_connection(TokioIo::new(stream), service);
        watcher.watch(serving).await
    }
}

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
