//! `/healthz`, `/readyz` and `/metrics`: for the operator, on a loopback port of their own, without
//! authentication.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Gateway;

/// A bound operator's port.
pub struct Admin {
    socket: TcpListener,
    address: SocketAddr,
}

impl Admin {
    /// Binds `address`.
    ///
    /// # Errors
    /// If it cannot be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Admin> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Admin { socket, address })
    }

    /// The address, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for ever, of whichever gateway stands at the time.
    pub async fn run(self, standing: watch::Receiver<Arc<Gateway>>) {
        loop {
            let Ok((stream, _)) = self.socket.accept().await else {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let standing = standing.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let gateway = Arc::clone(&standing.borrow());
                    async move { Ok::<_, Infallible>(answer(&gateway, &request)) }
                });
                let serving = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service);
                if let Err(error) = serving.await {
                    tracing::debug!(%error, "an operator's connection ended early");
                }
            });
        }
    }
}

/// A node whose store has given no sign of life for so long takes no calls.
const CUT_OFF: Duration = Duration::from_secs(3);

fn is_cut_off(gateway: &Gateway) -> bool {
    let lag = gateway.cluster.as_ref().and_then(|cluster| cluster.standing().lag);
    lag.is_some_and(|lag| lag > CUT_OFF)
}

fn metrics(gateway: &Gateway) -> Result<String, std::fmt::Error> {
    if let Some(cluster) = &gateway.cluster {
        let standing = cluster.standing();
        let lag = standing.lag.unwrap_or_default().as_secs_f64();
        gateway.metrics.stands(lag, standing.shards.len());
    }
    gateway.metrics.text()
}

fn answer(gateway: &Gateway, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match request.uri().path() {
        // Alive: the process answers at all.
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        // Ready: it would take a call.
        "/readyz" if gateway.sealed => {
            (StatusCode::SERVICE_UNAVAILABLE, "sealed: haechi operator unseal\n".to_owned())
        }
        "/readyz" if !gateway.audit.is_healthy() => {
            (StatusCode::SERVICE_UNAVAILABLE, "the audit log cannot be written\n".to_owned())
        }
        "/readyz" if is_cut_off(gateway) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n".to_owned())
        }
        "/readyz" => (StatusCode::OK, "ok\n".to_owned()),
        "/metrics" => match metrics(gateway) {
            Ok(text) => (StatusCode::OK, text),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        _ => (StatusCode::NOT_FOUND, "try /healthz, /readyz or /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let text = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, text);
    response
}
