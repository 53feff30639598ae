//! What the nodes over one store ask each other: for the records that each has of its own calls.
//!
//! A question goes to the other's port, as the path of a file that nobody else can name: it is sealed
//! under the domain key, for one node and a while, and so is the answer, for that question. Whoever
//! can make one has the root key. TLS is on top of it: by the CA of the installation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use haechi_cloudtrail::{CloudTrail, OtherNodes};
use haechi_core::cluster::nodes;
use haechi_core::document::{Document, Documents};
use haechi_core::{Database, Env, NodeRow, NodeState};
use haechi_wire::Fault;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::Failure;
use crate::stack::Stack;

/// Where questions go.
const PATH: &str = "/.haechi/node/";

/// What a question is sealed for.
const QUESTION: &[u8] = b"haechi node question";

/// How old a question may be: what the clocks of nodes may be apart, and some.
const AGE_MAX_MS: i64 = 15 * 60 * 1000;

/// How long another node may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Bytes of an answer at most: fifty records.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A question.
#[derive(Serialize, Deserialize)]
struct Question {
    /// Whom it is for.
    to: String,
    /// When it was asked; milliseconds since 1970.
    at_ms: i64,
    /// What is looked for.
    ask: Vec<u8>,
}

/// Sealed messages between nodes.
#[derive(Clone)]
struct Messages {
    database: Arc<Database>,
    env: Env,
}

impl Messages {
    fn seal(&self, purpose: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let keyring = self.database.keyring();
        keyring.seal(purpose, plain, &*self.env.random).map_err(Fault::internal)
    }

    async fn open(&self, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let open = || self.database.keyring().open_value(purpose, sealed);
        let opened = match open() {
            // Perhaps under a domain key that was made just now.
            Err(_) => {
                self.database.reload_keyring().await?;
                open()
            }
            opened => opened,
        };
        Ok(opened.map_err(Fault::internal)?.expose().to_vec())
    }
}

/// What an answer to a question is sealed for.
fn answer_to(question: &str) -> Vec<u8> {
    [b"haechi node answer ", question.as_bytes()].concat()
}

/// Answers other nodes.
struct Answers {
    messages: Messages,
    cloudtrail: Arc<CloudTrail>,
    own: String,
}

impl Answers {
    async fn answer(&self, question: &str) -> Result<Vec<u8>, Fault> {
        let sealed = URL_SAFE_NO_PAD.decode(question).map_err(Fault::internal)?;
        let plain = self.messages.open(QUESTION, &sealed).await?;
        let Question { to, at_ms, ask } =
            serde_json::from_slice(&plain).map_err(Fault::internal)?;
        let age = self.messages.env.now().millis().saturating_sub(at_ms);
        if to != self.own || !(-AGE_MAX_MS..AGE_MAX_MS).contains(&age) {
            return Err(Fault::internal("a question of long ago, or to another node"));
        }
        let answer = self.cloudtrail.answer(&self.own, &ask).await?;
        self.messages.seal(&answer_to(question), &answer)
    }
}

#[async_trait]
impl Documents for Answers {
    async fn document(&self, path: &str) -> Result<Option<Document>, Fault> {
        let Some(question) = path.strip_prefix(PATH) else { return Ok(None) };
        match self.answer(question).await {
            Ok(body) => Ok(Some(Document { content_type: "application/octet-stream", body })),
            Err(fault) => {
                // A stranger learns nothing of it.
                tracing::debug!(error = ?fault, "what came as another node's question is none");
                Ok(None)
            }
        }
    }
}

/// Asks other nodes.
#[derive(Clone)]
struct Questions {
    messages: Messages,
    own: String,
    tls: TlsConnector,
}

impl Questions {
    async fn ask_one(&self, node: &NodeRow, ask: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let at_ms = self.messages.env.now().millis();
        let question = Question { to: node.id.clone(), at_ms, ask };
        let sealed = self.messages.seal(QUESTION, &serde_json::to_vec(&question)?)?;
        let question = URL_SAFE_NO_PAD.encode(sealed);
        let path = format!("{PATH}{question}");
        let fetched = self.fetch(&node.address, &path);
        let answer = tokio::time::timeout(ANSWER_WITHIN, fetched)
            .await
            .map_err(|_| format!("no answer within {} s", ANSWER_WITHIN.as_secs()))??;
        Ok(self.messages.open(&answer_to(&question), &answer).await?)
    }

    async fn fetch(&self, address: &str, path: &str) -> Result<Vec<u8>, Failure> {
        let uri: http::Uri = address.parse()?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path).header(header::HOST, authority);
        let request = request.body(Empty::<Bytes>::new())?;
        if uri.scheme_str() == Some("http") {
            return receive(stream, request).await;
        }
        let name = ServerName::try_from(host)?;
        receive(self.tls.connect(name, stream).await?, request).await
    }
}

async fn receive<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<Vec<u8>, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    driving.abort();
    if !status.is_success() {
        let text = "it does not take questions there: does the address that it tells of itself \
                    (--listen, --node-name) lead to it from here?";
        return Err(format!("{status}: {text}").into());
    }
    Ok(body?.to_bytes().to_vec())
}

#[async_trait]
impl OtherNodes for Questions {
    fn own(&self) -> String {
        self.own.clone()
    }

    async fn ask(&self, ask: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let found = nodes(&**self.messages.database.store()).await.map_err(Fault::internal)?;
        let mut asked = JoinSet::new();
        for node in found {
            // One that does not tell its root key is of a version that cannot be asked.
            if node.id != self.own && node.state == NodeState::Serving && node.root.is_some() {
                let (questions, ask) = (self.clone(), ask.clone());
                asked.spawn(async move {
                    let answer = questions.ask_one(&node, ask).await;
                    (node, answer.map_err(|error| error.to_string()))
                });
            }
        }
        let mut answers = Vec::new();
        while let Some(answer) = asked.join_next().await {
            let (node, answer) = answer.map_err(Fault::internal)?;
            let (id, address) = (node.id, node.address);
            let answer = answer.map_err(|error| {
                tracing::warn!(node = id, address, error, "a node does not tell its records");
                let source = format!("node {id} at {address}: {error}").into();
                let message = "The events of a node cannot be read now. Try again.";
                Fault::Unavailable { message, source }
            });
            answers.push((id, answer?));
        }
        Ok(answers)
    }
}

/// Lets this node ask the others, and answer them.
///
/// # Errors
/// If the CA's certificate is not one.
pub fn connect(stack: &mut Stack, env: &Env, own: &str, ca_pem: &str) -> Result<(), Failure> {
    let messages = Messages { database: Arc::clone(&stack.database), env: env.clone() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let questions = Questions {
        messages: messages.clone(),
        own: own.to_owned(),
        tls: TlsConnector::from(Arc::new(config)),
    };
    stack.cloudtrail.among(Arc::new(questions));
    let cloudtrail = Arc::clone(&stack.cloudtrail);
    let answers = Answers { messages, cloudtrail, own: own.to_owned() };
    stack.router.document(PATH, Arc::new(answers));
    Ok(())
}
