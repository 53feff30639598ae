//! The key that signs messages, and its certificate, which anybody may fetch.
//!
//! Both are made when first needed and kept among the records, sealed. The certificate is signed
//! by the installation's own authority.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Document, Documents};
use haechi_crypto::NotificationKey;
use haechi_wire::Fault;
use zeroize::Zeroizing;

use crate::Sns;
use crate::store::{SigningRecord, signing};

/// How the path of the certificate begins.
pub(crate) const DOCUMENT: &str = "/SimpleNotificationService-";

/// What certifies the key: the installation's authority, wired by the binary.
#[async_trait]
pub trait CertificateIssuer: Send + Sync + 'static {
    /// A certificate, PEM, of a public key (`SubjectPublicKeyInfo`, DER) under a common name.
    ///
    /// # Errors
    /// If there is no authority, or the store fails.
    async fn issue(&self, public_key: &[u8], common_name: &str) -> Result<String, Fault>;
}

/// The key, at work.
pub(crate) struct Signer {
    key: Arc<NotificationKey>,
    id: String,
    certificate_pem: String,
}

/// How a message is signed.
pub(crate) struct Signature {
    pub(crate) version: &'static str,
    /// Base64.
    pub(crate) text: String,
    /// The path of the certificate.
    pub(crate) certificate_path: String,
}

impl Sns {
    async fn signer(&self) -> Result<&Signer, Fault> {
        self.signer.get_or_try_init(|| self.load_or_create_signer()).await
    }

    async fn load_or_create_signer(&self) -> Result<Signer, Fault> {
        loop {
            if let Some(found) = self.database.load::<SigningRecord>(&signing()).await? {
                let record = found.value;
                let key = NotificationKey::from_pkcs8(&record.key).map_err(Fault::internal)?;
                let SigningRecord { id, certificate_pem, .. } = record;
                return Ok(Signer { key: Arc::new(key), id, certificate_pem });
            }
            let key = tokio::task::spawn_blocking(NotificationKey::generate).await;
            let key = key.map_err(Fault::internal)?.map_err(Fault::internal)?;
            let id = self.env.characters(b"0123456789abcdef", 32).map_err(Fault::internal)?;
            let pkcs8 = key.to_pkcs8().map_err(Fault::internal)?;
            let record = SigningRecord {
                certificate_pem: self.issuer.issue(key.public_key(), "sns.amazonaws.com").await?,
                id,
                key: Zeroizing::new(pkcs8.into_inner()),
                unknown: Unknown::new(),
            };
            let mut batch = Batch::new();
            batch.create(signing(), &record);
            match self.database.commit(batch).await {
                // Another node may have been faster: its key counts.
                Ok(()) | Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Signs a text, over SHA-256 or SHA-1.
    pub(crate) async fn sign(&self, text: String, sha256: bool) -> Result<Signature, Fault> {
        use base64::Engine as _;
        let signer = self.signer().await?;
        let key = Arc::clone(&signer.key);
        // Milliseconds: not on the reactor.
        let signed = tokio::task::spawn_blocking(move || {
            if sha256 { key.sign_sha256(text.as_bytes()) } else { key.sign_sha1(text.as_bytes()) }
        });
        let bytes = signed.await.map_err(Fault::internal)?.map_err(Fault::internal)?;
        Ok(Signature {
            version: if sha256 { "2" } else { "1" },
            text: base64::engine::general_purpose::STANDARD.encode(bytes),
            certificate_path: format!("{DOCUMENT}{}.pem", signer.id),
        })
    }
}

#[async_trait]
impl Documents for Sns {
    async fn document(&self, path: &str) -> Result<Option<Document>, Fault> {
        let signer = self.signer().await?;
        let id = path.strip_prefix(DOCUMENT).and_then(|name| name.strip_suffix(".pem"));
        Ok((id == Some(signer.id.as_str())).then(|| Document {
            content_type: "binary/octet-stream",
            body: signer.certificate_pem.clone().into_bytes(),
        }))
    }
}
