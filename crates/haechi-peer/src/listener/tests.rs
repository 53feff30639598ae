use std::collections::BTreeSet;

use haechi_crypto::SystemRandom;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::*;
use crate::card::{Card, Parts};
use crate::client::Https;
use crate::identity::{Identity, StoredIdentity, Validity};
use crate::peers::{SendError, Transport};

/// Answers what it was told.
struct Echo;

#[async_trait]
impl Inbox for Echo {
    async fn take(&self, _: &Peer, _: Subject, body: &[u8]) -> Result<Answer, Refusal> {
        if body == b"no" { Err(Refusal::new("not now")) } else { Ok(body.to_vec()) }
    }
}

const VALID: Validity = Validity { from: (2020, 1, 1), until: (2120, 1, 1) };

fn identity(validity: Validity) -> Identity {
    StoredIdentity::generate(&SystemRandom::new(), validity).unwrap().open().unwrap()
}

fn peer(identity: &Identity, region: &str, endpoint: &str) -> Peer {
    let regions = BTreeSet::from([region.to_owned()]);
    let (id, name) = (identity.id.as_str(), "peer");
    let parts = Parts { name, id, regions: &regions, endpoint, api: "https://api:1" };
    let card = Card::new(parts, &identity.certificate, identity.transport_key.public()).unwrap();
    Peer::new(card, None).unwrap()
}

/// A server that knows the clients; what stops it when dropped, and how clients know it.
async fn serve(clients: &[&Identity], limits: Limits) -> (watch::Sender<bool>, Peer) {
    let own = identity(VALID);
    let mut known = peer(&own, "eu-west-1", "127.0.0.1:1");
    let local = BTreeSet::from(["eu-west-1".to_owned()]);
    let peers = Arc::new(Peers::new(own, local, Arc::new(Https)));
    peers.replace(clients.iter().map(|client| peer(client, "us-east-1", "127.0.0.1:1")).collect());
    let loopback = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(loopback, &peers, limits).await.unwrap();
    known.card.endpoint = listener.address().to_string();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(listener.run(peers, Arc::new(Echo), stopped));
    (stop, known)
}

async fn send(client: &Identity, server: &Peer, body: &[u8]) -> Result<Vec<u8>, SendError> {
    Https.send(client, server, Subject::KeyState, body.to_vec()).await
}

#[tokio::test]
async fn a_peer_is_answered_and_told_why_not() {
    let client = identity(VALID);
    let (_stop, server) = serve(&[&client], Limits::default()).await;
    assert_eq!(send(&client, &server, b"hello").await.unwrap(), b"hello");
    let refused = send(&client, &server, b"no").await.unwrap_err();
    assert_eq!(refused, SendError::Refused(Refusal::new("not now")));
    let most = vec![0; MESSAGE_BYTES_MAX];
    assert_eq!(send(&client, &server, &most).await.unwrap().len(), MESSAGE_BYTES_MAX);
    assert!(send(&client, &server, &vec![0; MESSAGE_BYTES_MAX + 1]).await.is_err());
}

#[tokio::test]
async fn whoever_is_not_known_is_told_nothing() {
    let (known, stranger) = (identity(VALID), identity(VALID));
    let (_stop, server) = serve(&[&known], Limits::default()).await;
    assert!(matches!(send(&stranger, &server, b"x").await, Err(SendError::Unreachable(_))));
    // Without any certificate, and in the open.
    let config = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(crate::tls::anybody())
        .with_no_client_auth();
    let stream = TcpStream::connect(&*server.card.endpoint).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    if let Ok(mut stream) = connector.connect(name, stream).await {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let _ = stream.write_all(b"POST /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        assert!(said.is_empty());
    }
    assert!(send(&known, &server, b"x").await.is_ok());
}

#[tokio::test]
async fn a_server_that_shows_another_certificate_is_not_talked_to() {
    let client = identity(VALID);
    let (_stop, server) = serve(&[&client], Limits::default()).await;
    let impostor = peer(&identity(VALID), "eu-west-1", &server.card.endpoint);
    assert!(matches!(send(&client, &impostor, b"x").await, Err(SendError::Unreachable(_))));
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_not_valid_yet_is_refused() {
    for (from, until) in [(2001, 2002), (2119, 2120)] {
        let client = identity(Validity { from: (from, 1, 1), until: (until, 1, 1) });
        let (_stop, server) = serve(&[&client], Limits::default()).await;
        assert!(matches!(send(&client, &server, b"x").await, Err(SendError::Unreachable(_))));
    }
}

#[tokio::test]
async fn a_peer_that_says_too_much_is_put_off() {
    let client = identity(VALID);
    let limits = Limits { messages_per_second: 1, ..Limits::default() };
    let (_stop, server) = serve(&[&client], limits).await;
    assert!(send(&client, &server, b"x").await.is_ok());
    let mut refused = false;
    for _ in 0..50 {
        refused |= matches!(send(&client, &server, b"x").await, Err(SendError::Refused(_)));
    }
    assert!(refused);
}

#[tokio::test]
async fn strangers_who_connect_and_say_nothing_keep_no_peer_out() {
    let client = identity(VALID);
    let handshake_timeout = Duration::from_secs(3600);
    let limits =
        Limits { connections_max: 2, handshakes_max: 4, handshake_timeout, ..Limits::default() };
    let (_stop, server) = serve(&[&client], limits).await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(TcpStream::connect(&*server.card.endpoint).await.unwrap());
    }
    assert_eq!(send(&client, &server, b"hello").await.unwrap(), b"hello");
    // The oldest of them was hung up on; the newest was not.
    use tokio::io::AsyncReadExt;
    assert_eq!(strangers[0].read(&mut [0]).await.unwrap_or_default(), 0);
    let mut newest = [0];
    let last = strangers.last_mut().unwrap();
    assert!(timeout(Duration::from_millis(50), last.read(&mut newest)).await.is_err());
}
