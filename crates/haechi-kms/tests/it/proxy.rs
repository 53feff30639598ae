//! An external key store proxy in this process: the real server, a key manager of its own, and a
//! network that fails as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use haechi_crypto::{
    ExternalCiphertext, MaterialHandle, SecretBytes, SecretVec, SymmetricMaterial, SystemRandom,
};
use haechi_xks::api::KeyManagerHealth;
use haechi_xks::{
    Asked, ErrorName, Health, KeyManager, KeyMetadata, KeyStore, Operation, Place, Refusal,
    RequestMetadata, Server, Transport, TransportError,
};
use http_body_util::{BodyExt, Full};

pub const HOST: &str = "xks.example.com";
pub const ACCESS_KEY_ID: &str = "AKIAI2SFODNN7EXAMPLE";
pub const SECRET: &str = "FYtE5EFA5FT0mCc3DrGUe2sti527BitkQ0Zr9MO9fvE";

/// How the network and the proxy behave.
#[derive(Clone, Default)]
pub enum Mood {
    #[default]
    Well,
    Unreachable,
    NoTls,
    Slow,
    /// Answers this to everything.
    Says(u16, &'static str),
    Refuses(ErrorName),
    /// Changes a character of the answer's ciphertext.
    Damages,
    /// Answers zeroes to a decryption.
    Lies,
}

/// An external key.
#[derive(Clone)]
pub struct ExternalKey {
    pub spec: &'static str,
    pub usage: Vec<&'static str>,
    pub status: &'static str,
    pub byte: u8,
}

#[derive(Default)]
pub struct State {
    pub mood: Mood,
    pub keys: BTreeMap<String, ExternalKey>,
    pub health: &'static str,
    /// What was asked, by whom.
    pub seen: Vec<(Operation, RequestMetadata)>,
    /// Plaintexts that came to be encrypted.
    pub plaintexts: Vec<Vec<u8>>,
}

/// Both ends, and the network between them.
pub struct Proxy {
    server: Server,
    pub state: Arc<Mutex<State>>,
}

struct Keys(Arc<Mutex<State>>);

impl Proxy {
    pub fn new() -> Arc<Proxy> {
        let key = |byte| ExternalKey {
            spec: "AES_256",
            usage: vec!["ENCRYPT", "DECRYPT", "WRAP"],
            status: "ENABLED",
            byte,
        };
        let keys = [("foo", key(1)), ("bar", key(2))];
        let keys = keys.map(|(id, key)| (id.to_owned(), key)).into();
        let state = State { keys, health: "ACTIVE", ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let server = Server::new(Arc::new(Keys(Arc::clone(&state))));
        Arc::new(Proxy { server, state })
    }

    pub fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }
}

#[async_trait]
impl Transport for Proxy {
    async fn send(
        &self,
        place: &Place,
        request: http::Request<Full<Bytes>>,
    ) -> Result<(u16, Vec<u8>), TransportError> {
        let mood = self.state.lock().unwrap().mood.clone();
        match mood {
            _ if place.host != HOST => {
                return Err(TransportError::Unreachable("no such name".to_owned()));
            }
            Mood::Unreachable => return Err(TransportError::Unreachable("down".to_owned())),
            Mood::NoTls => return Err(TransportError::Tls("unknown issuer".to_owned())),
            Mood::Slow => return Err(TransportError::TimedOut),
            Mood::Says(status, body) => return Ok((status, body.as_bytes().to_vec())),
            Mood::Refuses(name) => {
                return Ok((name.status(), Refusal::new(name, "the proxy's own words").to_json()));
            }
            Mood::Lies if request.uri().path().ends_with("/decrypt") => {
                let (_, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
                let length = asked["ciphertext"].as_str().unwrap().len();
                let text = asked["ciphertext"].as_str().unwrap();
                let kept = text.trim_end_matches('=').len();
                let zeroes = "A".repeat(kept) + &"=".repeat(length - kept);
                return Ok((200, format!("{{\"plaintext\":\"{zeroes}\"}}").into_bytes()));
            }
            _ => {}
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = self.server.answer([127, 0, 0, 1].into(), &parts, &body).await;
        let status = answer.status().as_u16();
        let mut body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        if matches!(mood, Mood::Damages) && parts.uri.path().ends_with("/encrypt") {
            let at = body.windows(14).position(|part| part == b"\"ciphertext\":\"").unwrap() + 20;
            body[at] = if body[at] == b'A' { b'B' } else { b'A' };
        }
        Ok((status, body))
    }
}

#[async_trait]
impl KeyManager for Keys {
    fn now_seconds(&self) -> i64 {
        use haechi_core::Clock;
        haechi_core::SystemClock.now().seconds()
    }

    async fn key_store(&self, prefix: &str) -> Result<Option<Arc<dyn KeyStore>>, Refusal> {
        Ok((prefix == "/path").then(|| Arc::new(Keys(Arc::clone(&self.0))) as Arc<dyn KeyStore>))
    }
}

impl Keys {
    fn key(
        &self,
        asked: &Asked<'_>,
        usage: &str,
    ) -> Result<(SymmetricMaterial, MaterialHandle), Refusal> {
        let state = self.0.lock().unwrap();
        let missing = || Refusal::new(ErrorName::KeyNotFound, "");
        let key = state.keys.get(asked.key_id).ok_or_else(missing)?;
        if key.status != "ENABLED" {
            return Err(Refusal::new(ErrorName::InvalidState, ""));
        }
        if !key.usage.contains(&usage) {
            return Err(Refusal::new(ErrorName::InvalidKeyUsage, ""));
        }
        let material = SymmetricMaterial::new(SecretBytes::take(&mut [key.byte; 32]));
        Ok((material, MaterialHandle::from_bytes([key.byte; 32])))
    }
}

#[async_trait]
impl KeyStore for Keys {
    fn secret_access_key(&self, access_key_id: &str) -> Option<&str> {
        (access_key_id == ACCESS_KEY_ID).then_some(SECRET)
    }

    async fn health(&self, _: &Asked<'_>) -> Result<Health, Refusal> {
        Ok(Health {
            xks_proxy_fleet_size: 1,
            xks_proxy_vendor: "Test".to_owned(),
            xks_proxy_model: "Test 1".to_owned(),
            ekm_vendor: "Test".to_owned(),
            ekm_fleet_details: vec![KeyManagerHealth {
                id: "1".to_owned(),
                model: "Test".to_owned(),
                health_status: self.0.lock().unwrap().health.to_owned(),
            }],
        })
    }

    async fn key_metadata(&self, asked: &Asked<'_>) -> Result<KeyMetadata, Refusal> {
        let state = self.0.lock().unwrap();
        let missing = || Refusal::new(ErrorName::KeyNotFound, "");
        let key = state.keys.get(asked.key_id).ok_or_else(missing)?;
        Ok(KeyMetadata {
            key_spec: key.spec.to_owned(),
            key_usage: key.usage.iter().map(|usage| (*usage).to_owned()).collect(),
            key_status: key.status.to_owned(),
        })
    }

    async fn encrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        plaintext: &SecretVec,
    ) -> Result<ExternalCiphertext, Refusal> {
        let (material, handle) = self.key(asked, "ENCRYPT")?;
        self.0.lock().unwrap().plaintexts.push(plaintext.expose().to_vec());
        let random = SystemRandom::new();
        let sealed =
            material.encrypt_externally(&handle, additional_data, plaintext.expose(), &random);
        Ok(sealed.unwrap())
    }

    async fn decrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, Refusal> {
        let (material, handle) = self.key(asked, "DECRYPT")?;
        let opened = material.decrypt_externally(&handle, additional_data, sealed);
        opened.map_err(|_| Refusal::new(ErrorName::InvalidCiphertext, ""))
    }

    async fn record(&self, asked: &Asked<'_>, _: Option<&Refusal>) -> Result<(), Refusal> {
        self.0.lock().unwrap().seen.push((asked.operation, asked.metadata.clone()));
        Ok(())
    }
}
