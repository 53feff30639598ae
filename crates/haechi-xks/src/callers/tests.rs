use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::watch;

use super::*;
use crate::{
    Https, HttpsOptions, Identity, KeyManager, KeyStore, Listener, ListenerLimits, Place, Refusal,
    Server, Transport,
};

const CALLER: &str = "cks.kms.us-east-1.amazonaws.com";

/// An authority and what it has signed.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&certificate.pem(), key).unwrap();
        Authority { certificate: certificate.der().clone(), issuer }
    }

    fn certify(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let pem = key.serialize_pem();
        let private_key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let private_key = PrivateKeyDer::Pkcs8(private_key);
        Identity { chain: vec![certificate.der().clone()], private_key }
    }
}

struct NoKeys;

#[async_trait]
impl KeyManager for NoKeys {
    fn now_seconds(&self) -> i64 {
        0
    }

    async fn key_store(&self, _: &str) -> Result<Option<Arc<dyn KeyStore>>, Refusal> {
        Ok(None)
    }
}

/// A proxy that asks for certificates of `callers` with one of `names`.
async fn proxy(
    own: &Authority,
    callers: &Authority,
    names: &[&str],
) -> (SocketAddr, watch::Sender<bool>) {
    let Identity { chain, private_key } = own.certify("localhost");
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private_key);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let callers = Callers::new(vec![callers.certificate.clone()], &names).unwrap();
    let tls = Arc::new(callers.guard(&tls.unwrap()));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, tls, ListenerLimits::default()).await.unwrap();
    let (address, (stop, stopped)) = (listener.address(), watch::channel(false));
    tokio::spawn(listener.run(Arc::new(Server::new(Arc::new(NoKeys))), stopped));
    (address, stop)
}

/// Whether a KMS that shows `identity` is answered.
async fn is_answered(address: SocketAddr, own: &Authority, identity: Option<Identity>) -> bool {
    let (authorities, timeout) = (Some(vec![own.certificate.clone()]), Duration::from_secs(10));
    let https = Https::new(HttpsOptions { authorities, timeout, identity }).unwrap();
    let place = Place { host: "localhost".to_owned(), address: Some(address) };
    let request = Request::get("/ping").header("host", "localhost").body(Full::new(Bytes::new()));
    let answered = https.send(&place, request.unwrap()).await;
    answered.is_ok_and(|(status, _)| status == 200)
}

#[tokio::test]
async fn who_shows_a_certificate_of_the_authority_with_the_name_is_served_and_nobody_else() {
    let (own, callers, others) = (Authority::new(), Authority::new(), Authority::new());
    let (address, _stop) = proxy(&own, &callers, &[CALLER, "second.example"]).await;
    for (identity, served) in [
        (None, false),
        (Some(others.certify(CALLER)), false),
        (Some(callers.certify("somebody.example")), false),
        (Some(callers.certify(CALLER)), true),
        (Some(callers.certify("second.example")), true),
    ] {
        assert_eq!(is_answered(address, &own, identity).await, served);
    }
}

#[tokio::test]
async fn without_names_the_authority_s_word_is_enough() {
    let (own, callers, others) = (Authority::new(), Authority::new(), Authority::new());
    let (address, _stop) = proxy(&own, &callers, &[]).await;
    assert!(is_answered(address, &own, Some(callers.certify("anybody.example"))).await);
    assert!(!is_answered(address, &own, Some(others.certify("anybody.example"))).await);
}

#[test]
fn no_authority_and_no_name_are_refused() {
    let callers = Authority::new();
    assert!(Callers::new(Vec::new(), &[]).is_err());
    assert!(Callers::new(vec![callers.certificate], &["no name".to_owned()]).is_err());
}
