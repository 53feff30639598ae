//! Which certificates of an identity provider count.
//!
//! As AWS has it: those that a known authority has signed; where none has, those whose chain leads
//! to a certificate with one of the provider's thumbprints (SHA-1). Names, times and signatures are
//! checked either way, so a thumbprint stands in for an authority and for nothing else.

use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Nobody who is trusted speaks for the certificate.
#[derive(Debug, thiserror::Error)]
#[error("no known authority has signed the certificate, and no thumbprint names one that has")]
pub(crate) struct Untrusted;

/// Checks certificates.
#[derive(Debug)]
pub(crate) struct Pinned {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<String>,
    provider: Arc<CryptoProvider>,
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<WebPkiServerVerifier>> {
    // Fails only for want of roots.
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
}

/// Whether a server shows the certificate of an authority for its own.
fn is_authority_itself(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(other)) = error else { return false };
    matches!(other.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// Whether a certificate was refused for who speaks for it, where a thumbprint may speak instead.
fn is_of_trust(error: &CertificateError) -> bool {
    matches!(error, CertificateError::UnknownIssuer | CertificateError::BadSignature)
        || is_authority_itself(error)
}

impl Pinned {
    pub(crate) fn new(
        roots: &RootCertStore,
        thumbprints: &[String],
        provider: Arc<CryptoProvider>,
    ) -> Pinned {
        let authorities = verifier(roots.clone(), &provider);
        Pinned { authorities, thumbprints: thumbprints.to_vec(), provider }
    }

    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.thumbprints.iter().any(|thumbprint| thumbprint.eq_ignore_ascii_case(&hash))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            let name = server_name;
            verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        let known = self.authorities.as_deref().map(verify);
        match known {
            None => {}
            Some(Err(Error::InvalidCertificate(error))) if is_of_trust(&error) => {}
            Some(decided) => return decided,
        }
        for certificate in intermediates.iter().chain([end_entity]) {
            if !self.names(certificate) {
                continue;
            }
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone().into_owned())?;
            let Some(verifier) = verifier(roots, &self.provider) else { continue };
            return match verify(&verifier) {
                // The server's own certificate, as `openssl req -x509` makes it. Its time was looked
                // at before its being an authority, its name was not.
                Err(Error::InvalidCertificate(error))
                    if is_authority_itself(&error) && certificate == end_entity =>
                {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                    Ok(ServerCertVerified::assertion())
                }
                decided => decided,
            };
        }
        let untrusted = CertificateError::Other(OtherError(Arc::new(Untrusted)));
        Err(Error::InvalidCertificate(untrusted))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
