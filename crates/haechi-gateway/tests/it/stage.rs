//! A gateway on a socket: real services over a store in memory, a clock that stands still.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::{AccountId, AuditError, AuditLog, Clock, Database, Env, Jobs, Router};
use haechi_crypto::{RootKey, SystemRandom};
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Gateway, Limits, Listener, Quotas};
use haechi_iam::Iam;
use haechi_kms::Kms;
use haechi_sigv4::{Payload, Rules, Scratch, Signer, SigningKey, Timestamp as SignedAt};
use haechi_store::Options;
use haechi_store_mem::MemStore;
use haechi_sts::Sts;
use haechi_wire::Timestamp;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub const NOW: i64 = 1_767_225_600;
const ACCOUNT: &str = "123456789012";
const PATIENCE: Duration = Duration::from_secs(60);

/// Records in memory; fails, or waits, when told to.
#[derive(Default)]
pub struct Audit {
    pub records: Mutex<Vec<serde_json::Value>>,
    pub unhealthy: AtomicBool,
    pub failing: AtomicBool,
    /// Where it is, an append waits for a permit.
    pub gate: Option<Semaphore>,
    pub waiting: AtomicBool,
}

impl Audit {
    pub fn last(&self) -> serde_json::Value {
        self.records.lock().unwrap().last().expect("a record").clone()
    }

    pub fn count(&self) -> usize {
        self.records.lock().unwrap().len()
    }
}

#[async_trait]
impl AuditLog for Audit {
    fn is_healthy(&self) -> bool {
        !self.unhealthy.load(Ordering::SeqCst)
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        if let Some(gate) = &self.gate {
            self.waiting.store(true, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
        }
        if self.failing.load(Ordering::SeqCst) {
            return Err(AuditError("disk on fire".into()));
        }
        self.records.lock().unwrap().push(serde_json::from_slice(&record).unwrap());
        Ok(())
    }
}

pub struct Stage {
    pub gateway: Arc<Gateway>,
    pub audit: Arc<Audit>,
    pub address: SocketAddr,
    pub key: (String, String),
    pub stop: watch::Sender<bool>,
    pub serving: JoinHandle<()>,
}

pub async fn stage() -> Stage {
    with(Limits::default(), Audit::default()).await
}

pub async fn with(limits: Limits, audit: Audit) -> Stage {
    let clock: Arc<dyn Clock> = Arc::new(Timestamp::from_seconds(NOW));
    let random = Arc::new(SystemRandom::new());
    let env = Env::new(Arc::clone(&clock), Arc::clone(&random) as _);
    let store = Arc::new(MemStore::new(Options::new(|| Duration::ZERO)));
    let root = RootKey::generate(&*random).unwrap();
    let database = Arc::new(Database::open(store, root, random, env.now(), 0).await.unwrap());
    let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
    let iam = Arc::new(Iam::new(Arc::clone(&database), env.clone()));
    let mut router = Router::default();
    crate::notes::mount(&mut router);
    iam.mount(&mut router);
    Arc::new(Kms::new(Arc::clone(&database), env.clone(), jobs)).mount(&mut router);
    Arc::new(Sts::new(database, Arc::clone(&iam) as _)).mount(&mut router);
    let account = AccountId::parse(ACCOUNT).unwrap();
    iam.create_account(&account).await.unwrap();
    let (id, secret) = iam.create_root_key(&account).await.unwrap();
    let audit = Arc::new(audit);
    let gateway = Arc::new(Gateway {
        router,
        identities: iam,
        audit: Arc::clone(&audit) as _,
        env,
        wall: clock,
        limits,
        quotas: Arc::new(Quotas::none()),
        metrics: Metrics::default(),
        dev: None,
        cluster: None,
        intents: None,
        sealed: false,
    });
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, tls(), true).await.unwrap();
    let address = listener.address();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(listener.run(Arc::clone(&gateway), stopped));
    Stage { gateway, audit, address, key: (id, secret.0.clone()), stop, serving }
}

fn tls() -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    Arc::new(config)
}

/// A call of KMS that nobody has signed.
pub fn kms(operation: &str, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
    Request::post("/")
        .header("host", "kms.us-east-1.localhost")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("TrentService.{operation}"))
        .body(body.into())
        .unwrap()
}

/// A call of IAM that nobody has signed.
pub fn iam(form: &str) -> Request<Vec<u8>> {
    Request::post("/")
        .header("host", "iam.localhost")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(format!("{form}&Version=2010-05-08").into_bytes())
        .unwrap()
}

/// A request as it travels in HTTP/1.1; the connection is to be closed after it.
pub fn raw(request: &Request<Vec<u8>>) -> Vec<u8> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut out = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !request.headers().contains_key("connection") {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    out.extend_from_slice(request.body());
    out
}

impl Stage {
    /// Signs as root, for a service.
    pub fn signed(&self, service: &str, request: Request<Vec<u8>>) -> Request<Vec<u8>> {
        self.signed_at(NOW, service, request)
    }

    pub fn signed_at(
        &self,
        now: i64,
        service: &str,
        request: Request<Vec<u8>>,
    ) -> Request<Vec<u8>> {
        self.signed_for("us-east-1", now, service, request)
    }

    pub fn signed_for(
        &self,
        region: &str,
        now: i64,
        service: &str,
        request: Request<Vec<u8>>,
    ) -> Request<Vec<u8>> {
        let (mut parts, body) = request.into_parts();
        let timestamp = SignedAt::from_unix_seconds(now);
        let key = SigningKey::derive(&self.key.1, &timestamp.date().to_string(), region, service);
        let signer = Signer {
            access_key_id: &self.key.0,
            session_token: None,
            key: &key,
            timestamp,
            rules: Rules::STANDARD,
        };
        signer.sign(&mut parts, Payload::Bytes(&body), &mut Scratch::default()).unwrap();
        Request::from_parts(parts, body)
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and answers all that comes back until the server closes.
    pub async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A server that refuses early may close while this still writes.
        let _ = stream.write_all(bytes).await;
        rest(stream).await
    }

    pub async fn call(&self, request: &Request<Vec<u8>>) -> String {
        self.exchange(&raw(request)).await
    }

    pub async fn kms(&self, operation: &str, body: impl Into<Vec<u8>>) -> String {
        self.call(&self.signed("kms", kms(operation, body))).await
    }

    pub async fn iam(&self, form: &str) -> String {
        self.call(&self.signed("iam", iam(form))).await
    }
}

/// Everything until the server closes.
pub async fn rest(mut stream: TcpStream) -> String {
    let mut received = Vec::new();
    let reading = stream.read_to_end(&mut received);
    // A reset is a close, too; what came before it counts.
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("an answer or a close");
    String::from_utf8_lossy(&received).into_owned()
}

/// Waits until something is so.
pub async fn until(what: impl Fn() -> bool) {
    let polling = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("it became so");
}

#[track_caller]
pub fn assert_answer(answer: &str, status: u16, needles: &[&str]) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    for needle in needles {
        assert!(answer.contains(needle), "no `{needle}` in {answer}");
    }
}
