//! Secrets on their way to another deployment: sealed to its transport key, so that whoever ends the
//! TLS connection between the two, or records what goes over it, holds nothing.
//!
//! ```text
//! sealed = encapsulated key (65 B, a P-256 point) ‖ AES-256-GCM(secret) ‖ tag
//! info   = "haechi/transport/v1"
//! AAD    = the route (who seals, for whom), then what the secret is
//! ```
//! HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Base mode does
//! not say who sealed: the channel must.

use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};

use crate::canonical::push_field;
use crate::material::{KeyMaterial, MaterialContext, MaterialError};
use crate::{CryptoError, KeySpec, SecretVec};

const INFO: &[u8] = b"haechi/transport/v1";
/// Bytes of a public key and of an encapsulated key: an uncompressed point of P-256.
const POINT_BYTES: usize = 65;

/// What was sealed does not open: changed, for another deployment, or something else than was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open under this deployment's transport key")]
pub struct InvalidTransport;

/// Who seals for whom. Both ends must say the same.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// Id of the deployment that seals.
    pub from: &'a str,
    /// Id of the deployment that opens.
    pub to: &'a str,
}

impl Route<'_> {
    fn aad(&self, label: &[u8], what: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(128 + what.len());
        for field in [label, self.from.as_bytes(), self.to.as_bytes(), what] {
            push_field(&mut aad, field);
        }
        aad
    }
}

/// To which others seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportPublicKey([u8; POINT_BYTES]);

impl TransportPublicKey {
    /// From its bytes, an uncompressed point of P-256; whether it is on the curve shows when
    /// something is sealed to it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let point: [u8; POINT_BYTES] = bytes.try_into().ok()?;
        (point.first() == Some(&4)).then_some(Self(point))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seals any secret; `what` says which it is.
    ///
    /// # Errors
    /// When the key is no point of the curve, or randomness fails.
    pub fn seal(
        &self,
        route: Route<'_>,
        what: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.seal_as(&route.aad(b"secret", what), secret)
    }

    fn seal_as(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = HpkePublicKey(self.0.to_vec());
        let failed = |_| CryptoError::new("seal a secret for another deployment");
        let (encapsulated, sealed) = SUITE.seal(INFO, aad, secret, &key).map_err(failed)?;
        Ok([encapsulated.0, sealed].concat())
    }
}

/// A deployment's own: opens what others have sealed for it.
pub struct TransportKey {
    secret: SecretVec,
    public: TransportPublicKey,
}

impl TransportKey {
    /// A fresh one, from the library's own generator.
    ///
    /// # Errors
    /// When randomness fails.
    pub fn generate() -> Result<Self, CryptoError> {
        let failed = CryptoError::new("make a transport key");
        let (public, secret) = SUITE.generate_key_pair().map_err(|_| failed)?;
        let public = TransportPublicKey::from_bytes(&public.0).ok_or(failed)?;
        Ok(Self { secret: SecretVec::copy_from(secret.secret_bytes()), public })
    }

    /// From its two halves, as they were stored.
    pub fn from_parts(secret: SecretVec, public: TransportPublicKey) -> Self {
        Self { secret, public }
    }

    /// The secret half, to be stored sealed.
    pub fn secret(&self) -> &SecretVec {
        &self.secret
    }

    /// To which others seal.
    pub fn public(&self) -> &TransportPublicKey {
        &self.public
    }

    /// Opens a secret that was sealed as `what`.
    ///
    /// # Errors
    /// When it was not sealed so.
    pub fn open(
        &self,
        route: Route<'_>,
        what: &[u8],
        sealed: &[u8],
    ) -> Result<SecretVec, InvalidTransport> {
        self.open_as(&route.aad(b"secret", what), sealed)
    }

    fn open_as(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretVec, InvalidTransport> {
        let (point, sealed) = sealed.split_at_checked(POINT_BYTES).ok_or(InvalidTransport)?;
        let key = HpkePrivateKey::from(self.secret.expose().to_vec());
        let encapsulated = EncapsulatedSecret(point.to_vec());
        let opened = SUITE.open(&encapsulated, INFO, aad, sealed, &key);
        opened.map(SecretVec::from).map_err(|_| InvalidTransport)
    }
}

/// What key material is sealed as: label and binding keep it apart from every other secret.
fn material_aad(route: Route<'_>, context: &MaterialContext<'_>) -> Vec<u8> {
    route.aad(b"key-material", &context.aad())
}

impl KeyMaterial {
    /// Seals it for another deployment, bound to the same values as its token is.
    ///
    /// # Errors
    /// When the context names another spec, or sealing fails.
    pub fn send(
        &self,
        to: &TransportPublicKey,
        route: Route<'_>,
        context: &MaterialContext<'_>,
    ) -> Result<Vec<u8>, MaterialError> {
        let plaintext = self.coded(context)?;
        Ok(to.seal_as(&material_aad(route, context), plaintext.expose())?)
    }

    /// Opens what another deployment has sealed with [`Self::send`].
    ///
    /// # Errors
    /// When it was not sealed for this deployment, by that one, as this material; or is no such key.
    pub fn receive(
        key: &TransportKey,
        route: Route<'_>,
        context: &MaterialContext<'_>,
        sealed: &[u8],
    ) -> Result<Self, InvalidTransport> {
        let plaintext = key.open_as(&material_aad(route, context), sealed)?;
        let spec = KeySpec::from_name(context.spec).ok_or(InvalidTransport)?;
        match Self::decoded(plaintext.expose(), context) {
            Ok(material) if material.spec() == spec => Ok(material),
            _ => Err(InvalidTransport),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    const ROUTE: Route<'static> = Route { from: "a", to: "b" };

    fn context(spec: &'static str) -> MaterialContext<'static> {
        MaterialContext {
            account: "111111111111",
            key_id: "mrk-1",
            material_id: "m",
            spec,
            usage: "ENCRYPT_DECRYPT",
            origin: "AWS_KMS",
        }
    }

    #[test]
    fn a_secret_opens_only_where_and_as_what_it_was_sealed() {
        let (key, other) = (TransportKey::generate().unwrap(), TransportKey::generate().unwrap());
        let sealed = key.public().seal(ROUTE, b"what", b"secret").unwrap();
        assert_eq!(key.open(ROUTE, b"what", &sealed).unwrap().expose(), b"secret");
        assert!(other.open(ROUTE, b"what", &sealed).is_err());
        assert!(key.open(ROUTE, b"that", &sealed).is_err());
        assert!(key.open(Route { from: "c", to: "b" }, b"what", &sealed).is_err());
        assert!(key.open(Route { from: "a", to: "c" }, b"what", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(ROUTE, b"what", &changed).is_err(), "byte {at}");
            assert!(key.open(ROUTE, b"what", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_stored_key_opens_what_was_sealed_before() {
        let key = TransportKey::generate().unwrap();
        let sealed = key.public().seal(ROUTE, b"", b"secret").unwrap();
        let public = TransportPublicKey::from_bytes(key.public().as_bytes()).unwrap();
        let stored = SecretVec::copy_from(key.secret().expose());
        let again = TransportKey::from_parts(stored, public);
        assert_eq!(again.open(ROUTE, b"", &sealed).unwrap().expose(), b"secret");
    }

    #[test]
    fn material_of_every_spec_arrives_as_it_left() {
        let key = TransportKey::generate().unwrap();
        for spec in KeySpec::ALL.into_iter().filter(|spec| !spec.generates_slowly()) {
            let material = KeyMaterial::generate(spec, &SystemRandom::new()).unwrap();
            let context = context(spec.name());
            let sealed = material.send(key.public(), ROUTE, &context).unwrap();
            let arrived = KeyMaterial::receive(&key, ROUTE, &context, &sealed).unwrap();
            assert_eq!(arrived.fingerprint().unwrap(), material.fingerprint().unwrap());
            let other = MaterialContext { key_id: "mrk-2", ..context };
            assert!(KeyMaterial::receive(&key, ROUTE, &other, &sealed).is_err());
        }
    }
}
