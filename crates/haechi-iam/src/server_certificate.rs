//! Server certificates: TLS certificates with their private keys, for what serves in their name.

use haechi_core::{AccountId, Cx, Loaded, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::ServerCertificateMetadata;
use haechi_wire::Timestamp;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::authz::{Conditions, authorize};
use crate::certificate;
use crate::store::{ServerCertificateRecord, server_certificate_path};
use crate::{Iam, PARTITION};

/// Certificates in one account, at most (AWS's default quota).
pub(crate) const CERTIFICATES_MAX: usize = 20;

/// `arn:aws:iam::123456789012:server-certificate/path/name`.
pub(crate) fn arn(account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:server-certificate{path}{name}")
}

/// Notes one for the audit record.
pub(crate) fn note(cx: &Cx, arn: &str) {
    let account = cx.account().to_string();
    cx.note(Resource { arn: arn.to_owned(), account, kind: "AWS::IAM::ServerCertificate" });
}

/// The error for a name that is taken.
pub(crate) fn exists(name: &str) -> Error {
    let message = format!("The Server Certificate with name {name} already exists.");
    Error::EntityAlreadyExistsException(message)
}

/// What a certificate says of itself.
pub(crate) struct Checked {
    pub(crate) expires_ms: i64,
}

/// Refuses what is no certificate, no private key, or not the key of the certificate.
pub(crate) fn check(body: &str, key: &str, chain: Option<&str>) -> Result<Checked, Error> {
    let der = certificate::der(body)?;
    let malformed = |message: &str| Error::MalformedCertificateException(message.to_owned());
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| {
        malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.")
    })?;
    if let Some(chain) = chain {
        certificate::chain(chain)?;
    }
    let wrong = || {
        malformed(
            "Unable to parse key. Please ensure the private key is in PEM format and not encrypted.",
        )
    };
    let key = PrivateKeyDer::from_pem_slice(key.trim().as_bytes()).map_err(|_| wrong())?;
    let key = any_supported_type(&key).map_err(|_| wrong())?;
    let public = key.public_key().ok_or_else(wrong)?;
    if public.as_ref() != certificate.public_key().raw {
        let message = "The private key did not match the public key provided. Please verify the key \
            material and try again.";
        return Err(Error::KeyPairMismatchException(message.to_owned()));
    }
    Ok(Checked { expires_ms: certificate.validity().not_after.timestamp().saturating_mul(1000) })
}

impl ServerCertificateRecord {
    pub(crate) fn arn(&self, account: &AccountId) -> String {
        arn(account, &self.path, &self.name)
    }

    pub(crate) fn metadata(&self, account: &AccountId) -> ServerCertificateMetadata {
        ServerCertificateMetadata {
            path: self.path.clone(),
            server_certificate_name: self.name.clone(),
            server_certificate_id: self.id.clone(),
            arn: self.arn(account),
            upload_date: Some(Timestamp::from_millis(self.uploaded_ms)),
            expiration: Some(Timestamp::from_millis(self.expires_ms)),
        }
    }
}

impl Iam {
    /// A certificate of the caller's account, on which the caller may do the operation.
    pub(crate) async fn server_certificate(
        &self,
        cx: &Cx,
        name: &str,
        asked: Conditions<'_>,
    ) -> Result<Loaded<ServerCertificateRecord>, Error> {
        let account = cx.account();
        let path = server_certificate_path(account, name);
        let found = self.database.load::<ServerCertificateRecord>(&path).await?;
        let arn = match &found {
            Some(found) => found.value.arn(account),
            None => arn(account, "/", name),
        };
        note(cx, &arn);
        let resource_tags = found.as_ref().map_or(&[] as &[_], |found| &found.value.tags);
        authorize(cx, &arn, &Conditions { resource_tags, ..asked })?;
        found.ok_or_else(|| {
            Error::NoSuchEntityException(format!(
                "The Server Certificate with name {name} cannot be found."
            ))
        })
    }
}
