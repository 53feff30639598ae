//! Asking a peer: a connection a message. Messages are few, and a connection that is opened anew
//! verifies the peer anew.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::identity::{Identity, SERVER_NAME};
use crate::message::{MESSAGE_BYTES_MAX, Refusal, Subject};
use crate::peers::{Peer, SendError, Transport};
use crate::tls;

/// How long a connection with its handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The real network.
pub struct Https;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Status and body.
async fn exchange(
    own: &Identity,
    peer: &Peer,
    subject: Subject,
    body: Vec<u8>,
) -> Result<(StatusCode, Vec<u8>), Failure> {
    let connecting = async {
        let stream = TcpStream::connect(peer.card.endpoint.as_str()).await?;
        stream.set_nodelay(true)?;
        let config = tls::client(own, peer.certificate())?;
        let name = ServerName::try_from(SERVER_NAME)?;
        Ok::<_, Failure>(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    };
    let stream =
        timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| "no connection in time")??;
    let answering = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::POST)
            .uri(subject.path())
            .header(header::HOST, SERVER_NAME)
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MESSAGE_BYTES_MAX).collect().await?;
        driver.abort();
        Ok::<_, Failure>((status, body.to_bytes().to_vec()))
    };
    timeout(ANSWER_TIMEOUT, answering).await.map_err(|_| "no answer in time")?
}

#[async_trait]
impl Transport for Https {
    async fn send(
        &self,
        own: &Identity,
        peer: &Peer,
        subject: Subject,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, SendError> {
        match exchange(own, peer, subject, body).await {
            Ok((StatusCode::OK, body)) => Ok(body),
            Ok((status, body)) => {
                let refusal = serde_json::from_slice::<Refusal>(&body);
                let unread = |_| Refusal::new(format!("it answered {status}"));
                Err(SendError::Refused(refusal.unwrap_or_else(unread)))
            }
            Err(error) => Err(SendError::Unreachable(error.to_string())),
        }
    }
}
