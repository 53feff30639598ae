//! What a deployment keeps so that others know it: a certificate that it has signed itself, and a
//! transport key. Others pin both, so no authority can make a second one.

use haechi_crypto::{CryptoError, Random, SecretVec, TransportKey, TransportPublicKey};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The name in every certificate. Peers are told apart by the certificate itself.
pub const SERVER_NAME: &str = "peer.haechi.internal";

/// Why an identity cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate cannot be made.
    #[error("the certificate of this deployment cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// Randomness failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// What was stored is damaged.
    #[error("the identity of this deployment is damaged")]
    Damaged,
}

/// As it is stored, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredIdentity {
    /// 32 hexadecimal digits.
    pub id: String,
    certificate: Vec<u8>,
    /// PKCS#8.
    key: Zeroizing<Vec<u8>>,
    transport_secret: Zeroizing<Vec<u8>>,
    transport_public: Vec<u8>,
}

/// Ready to be used.
pub struct Identity {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS#8.
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// Opens what peers have sealed.
    pub transport_key: TransportKey,
}

/// From when until when a certificate is valid, as (year, month, day).
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    /// The first day.
    pub from: (i32, u8, u8),
    /// The day on which it is valid no more.
    pub until: (i32, u8, u8),
}

impl StoredIdentity {
    /// A new one.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn generate(random: &dyn Random, validity: Validity) -> Result<Self, IdentityError> {
        let mut id = [0; 16];
        random.fill(&mut id)?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, format!("haechi peer {id}"));
        parameters.distinguished_name = name;
        parameters.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let date = |(year, month, day)| rcgen::date_time_ymd(year, month, day);
        parameters.not_before = date(validity.from);
        parameters.not_after = date(validity.until);
        let certificate = parameters.self_signed(&key)?.der().to_vec();
        let transport_key = TransportKey::generate()?;
        Ok(StoredIdentity {
            id,
            certificate,
            key: Zeroizing::new(key.serialize_der()),
            transport_secret: Zeroizing::new(transport_key.secret().expose().to_vec()),
            transport_public: transport_key.public().as_bytes().to_vec(),
        })
    }

    /// Makes it ready.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn open(self) -> Result<Identity, IdentityError> {
        let public = TransportPublicKey::from_bytes(&self.transport_public);
        let public = public.ok_or(IdentityError::Damaged)?;
        let secret = SecretVec::copy_from(&self.transport_secret);
        Ok(Identity {
            id: self.id,
            certificate: self.certificate,
            key: self.key,
            transport_key: TransportKey::from_parts(secret, public),
        })
    }
}
