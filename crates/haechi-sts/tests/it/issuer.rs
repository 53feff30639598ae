//! An identity provider in the test: it signs tokens, and answers what haechi fetches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use haechi_core::{AccountId, Evidence, MfaError, OidcProvider, SamlProvider};
use haechi_sts::{Fetch, FetchError};
use haechi_wire::{Fault, Timestamp};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://idp.example/realm";
pub const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/idp.example/realm";

/// base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

/// A key of an issuer.
pub struct Key {
    pub id: String,
    pair: Ed25519KeyPair,
}

impl Key {
    pub fn new(id: &str) -> Key {
        Key { id: id.to_owned(), pair: Ed25519KeyPair::generate().unwrap() }
    }

    pub fn jwk(&self) -> Value {
        let x = encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": x})
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.id, "typ": "JWT"});
        let header = encode(header.to_string().as_bytes());
        let signed = format!("{header}.{}", encode(claims.to_string().as_bytes()));
        let signature = encode(self.pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

/// What the issuer publishes, and how often it was asked.
#[derive(Default)]
pub struct Web {
    pub discovery: Mutex<Value>,
    pub keys: Mutex<Vec<Value>>,
    pub failure: Mutex<Option<FetchError>>,
    pub asked: AtomicUsize,
}

impl Web {
    pub fn of(key: &Key) -> Arc<Web> {
        let discovery = json!({"issuer": ISSUER, "jwks_uri": "https://keys.example/set"});
        let (discovery, keys) = (Mutex::new(discovery), Mutex::new(vec![key.jwk()]));
        Arc::new(Web { discovery, keys, ..Web::default() })
    }

    /// How often the keys were fetched.
    pub fn times(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn fail(&self, error: Option<FetchError>) {
        *self.failure.lock().unwrap() = error;
    }
}

#[async_trait]
impl Fetch for Web {
    async fn get(&self, url: &str, _: &[String], bytes_max: usize) -> Result<Vec<u8>, FetchError> {
        if let Some(error) = self.failure.lock().unwrap().clone() {
            return Err(error);
        }
        let document = match url {
            "https://idp.example/realm/.well-known/openid-configuration" => {
                self.discovery.lock().unwrap().clone()
            }
            "https://keys.example/set" => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                json!({"keys": *self.keys.lock().unwrap()})
            }
            other => panic!("{other} was asked for"),
        };
        let document = document.to_string().into_bytes();
        assert!(document.len() <= bytes_max);
        Ok(document)
    }
}

/// An IAM that knows one provider, and one device with one code.
pub struct Known {
    pub provider: Mutex<OidcProvider>,
    pub device: (String, String),
    pub user_id: Mutex<String>,
}

impl Known {
    pub fn new() -> Arc<Known> {
        Known::for_user("AIDATESTALICE")
    }

    /// The device is of the user with this unique id.
    pub fn for_user(user_id: &str) -> Arc<Known> {
        let provider = OidcProvider {
            arn: PROVIDER.to_owned(),
            url: "idp.example/realm".to_owned(),
            client_ids: vec!["sts.amazonaws.com".to_owned(), "other".to_owned()],
            thumbprints: Vec::new(),
        };
        let device = ("arn:aws:iam::123456789012:mfa/alice".to_owned(), "123456".to_owned());
        let user_id = Mutex::new(user_id.to_owned());
        Arc::new(Known { provider: Mutex::new(provider), device, user_id })
    }
}

#[async_trait]
impl Evidence for Known {
    async fn verify_mfa(
        &self,
        _: &AccountId,
        user_id: &str,
        serial_number: &str,
        code: &str,
        _: Timestamp,
    ) -> Result<(), MfaError> {
        if user_id != *self.user_id.lock().unwrap() || serial_number != self.device.0 {
            return Err(MfaError::UnknownDevice);
        }
        if code == self.device.1 { Ok(()) } else { Err(MfaError::InvalidCode) }
    }

    async fn oidc_provider(
        &self,
        account: &AccountId,
        url: &str,
    ) -> Result<Option<OidcProvider>, Fault> {
        let provider = self.provider.lock().unwrap().clone();
        let url = url.strip_prefix("https://").unwrap_or(url);
        Ok(Some(provider).filter(|own| account.as_str() == "123456789012" && own.url == url))
    }

    async fn saml_provider(&self, _: &AccountId, _: &str) -> Result<Option<SamlProvider>, Fault> {
        Ok(None)
    }
}
