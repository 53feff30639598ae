//! Any request, from HTTP to the operation and back, on real services in memory: nothing panics,
//! nothing is an internal failure, every call leaves one whole record, and no call is done
//! without one.
//!
//! Input: lines of `method`, `path`, `query`, then `name:value` headers, an empty line, the body.
//! Access keys are not checked, as under `--dev`; a request without a signature gets one.
#![no_main]

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::{
    AccountId, AuditError, AuditLog, Clock, Credential, Cx, Database, Env, Handle, Identities,
    Jobs, Region, Router,
};
use haechi_crypto::{RootKey, SystemRandom};
use haechi_gateway::metrics::Metrics;
use haechi_gateway::{Connection, Gateway, Limits, Quotas};
use haechi_iam::{Iam, root_caller};
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, DescribeKey, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, DescribeKeyRequest, DescribeKeyResponse, EncryptRequest,
    EncryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_secretsmanager::{Keys, SecretsManager};
use haechi_ssm::Ssm;
use haechi_store::Options;
use haechi_store_mem::MemStore;
use haechi_sts::Sts;
use haechi_wire::{Fault, Problem, Timestamp};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// 2026-01-01.
const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);
const ACCOUNT: &str = "123456789012";

/// Requests after which a new installation takes the place of the old, so that it does not fill up.
const REQUESTS: usize = 5_000;

struct Anyone;

#[async_trait]
impl Identities for Anyone {
    async fn credential(
        &self,
        access_key_id: &str,
        _: Option<&str>,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        let account = AccountId::parse(access_key_id).or_else(|| AccountId::parse(ACCOUNT));
        Ok(account
            .map(|account| Arc::new(Credential::new(None, root_caller(&account, access_key_id)))))
    }
}

/// KMS, for Secrets Manager.
struct SecretKeys(Arc<Kms>);

#[async_trait]
impl Keys for SecretKeys {
    async fn managed_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "secretsmanager").await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Ok(Handle::<GenerateDataKey>::handle(&*self.0, cx, input).await?)
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        Ok(Handle::<Encrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Ok(Handle::<Decrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn describe_key(
        &self,
        cx: &Cx,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Problem> {
        Ok(Handle::<DescribeKey>::handle(&*self.0, cx, input).await?)
    }

    async fn record(&self, _: &Cx) -> Result<(), Fault> {
        Ok(())
    }
}

/// KMS, for Parameter Store.
struct ParameterKeys(Arc<Kms>);

#[async_trait]
impl haechi_ssm::Keys for ParameterKeys {
    async fn default_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "ssm").await
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        Ok(Handle::<Encrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Ok(Handle::<Decrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Ok(Handle::<GenerateDataKey>::handle(&*self.0, cx, input).await?)
    }
}

#[derive(Default)]
struct Records(AtomicUsize);

#[async_trait]
impl AuditLog for Records {
    fn is_healthy(&self) -> bool {
        true
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        let _: serde_json::Value = serde_json::from_slice(&record).expect("a record is JSON");
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

struct Installation {
    runtime: Runtime,
    gateway: Gateway,
    records: Arc<Records>,
    requests: usize,
}

impl Installation {
    fn new() -> Installation {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock: Arc<dyn Clock> = Arc::new(NOW);
        let random = Arc::new(SystemRandom::new());
        let env = Env::new(Arc::clone(&clock), Arc::clone(&random) as _);
        let store = Arc::new(MemStore::new(Options::new(|| Duration::ZERO)));
        let root = RootKey::generate(&*random).expect("randomness");
        let opened = runtime.block_on(Database::open(store, root, random, NOW, 0));
        let database = Arc::new(opened.expect("a database"));
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
        let mut router = Router::default();
        let iam = Arc::new(Iam::new(Arc::clone(&database), env.clone()));
        iam.mount(&mut router);
        let kms = Arc::new(Kms::new(Arc::clone(&database), env.clone(), Arc::clone(&jobs)));
        kms.mount(&mut router);
        let keys = Arc::new(ParameterKeys(Arc::clone(&kms)));
        let ssm = Ssm::new(Arc::clone(&database), env.clone(), Arc::clone(&jobs), keys);
        Arc::new(ssm).mount(&mut router);
        let keys = Arc::new(SecretKeys(kms));
        let secrets = SecretsManager::new(Arc::clone(&database), env.clone(), jobs, keys);
        Arc::new(secrets).mount(&mut router);
        Arc::new(Sts::new(database, iam)).mount(&mut router);
        let records = Arc::new(Records::default());
        let gateway = Gateway {
            router,
            identities: Arc::new(Anyone),
            audit: Arc::clone(&records) as _,
            env,
            wall: clock,
            quotas: Arc::new(Quotas::none()),
            limits: Limits::default(),
            metrics: Metrics::default(),
            dev: None,
            cluster: None,
            intents: None,
            sealed: false,
        };
        Installation { runtime, gateway, records, requests: 0 }
    }

    fn answer(&mut self, parts: &Parts, body: &[u8]) {
        self.requests += 1;
        let before = self.records.0.load(Ordering::Relaxed);
        let connection = Connection::new(IpAddr::V4(Ipv4Addr::LOCALHOST), None);
        let answer = self.runtime.block_on(self.gateway.answer(&connection, parts, body));
        let recorded = self.records.0.load(Ordering::Relaxed) - before;
        let status = answer.status().as_u16();
        assert_ne!(status, 500, "an internal failure");
        assert!(recorded == 1 || (recorded == 0 && status == 400), "{recorded} records, {status}");
    }
}

thread_local! {
    static INSTALLATION: RefCell<Installation> = RefCell::new(Installation::new());
}

fuzz_target!(|data: &[u8]| {
    let Some((parts, body)) = request(data) else { return };
    INSTALLATION.with_borrow_mut(|installation| {
        if installation.requests >= REQUESTS {
            *installation = Installation::new();
        }
        installation.answer(&parts, body);
    });
});

fn request(data: &[u8]) -> Option<(Parts, &[u8])> {
    let mut rest = data;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        line
    };
    let method = Method::from_bytes(line()).unwrap_or(Method::POST);
    let path = Some(line()).filter(|path| path.starts_with(b"/")).unwrap_or(b"/");
    let query = line();
    let target = [path, &b"?"[..], query].concat();
    let mut request = Request::builder().method(method).uri(Uri::try_from(target).ok()?);
    // An empty line ends the headers; there may be none in the query's place.
    loop {
        let line = line();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            request = request.header(name, value);
        }
    }
    let (mut parts, ()) = request.body(()).ok()?.into_parts();
    if !parts.headers.contains_key("authorization") && !query.starts_with(b"X-Amz-") {
        sign(&mut parts);
    }
    Some((parts, rest))
}

/// A signature in form only: who takes any key does not check it.
fn sign(parts: &mut Parts) {
    parts.headers.entry("x-amz-date").or_insert(HeaderValue::from_static("20260101T000000Z"));
    let names: Vec<&str> = parts.headers.keys().map(HeaderName::as_str).collect();
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/kms/aws4_request, \
         SignedHeaders=host;{}, Signature={}",
        names.join(";"),
        "0".repeat(64)
    );
    if let Ok(signed) = HeaderValue::from_str(&signed) {
        parts.headers.insert("authorization", signed);
    }
}
