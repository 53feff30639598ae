//! Mutual TLS: whose certificates the proxy asks of those who call it.
//!
//! AWS KMS shows a certificate whose name is `cks.kms.<region>.amazonaws.com`, from a public
//! authority: of such an authority anybody has certificates, so the name counts too.
//!
//! Source: "AWS KMS External Key Store Proxy API Specification", Authentication; Developer Guide,
//! "Create an external key store".

use std::io;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Who may connect.
#[derive(Debug)]
pub struct Callers {
    chains: Arc<dyn ClientCertVerifier>,
    /// Names of which a certificate must bear one; empty: the authorities' word is enough.
    names: Vec<ServerName<'static>>,
}

impl Callers {
    /// Those with a certificate of one of these authorities, for one of these names.
    ///
    /// # Errors
    /// If a certificate cannot be read, there is none, or a name is none.
    pub fn new(authorities: Vec<CertificateDer<'static>>, names: &[String]) -> io::Result<Callers> {
        let mut roots = RootCertStore::empty();
        for certificate in authorities {
            roots.add(certificate).map_err(io::Error::other)?;
        }
        let chains = WebPkiClientVerifier::builder(Arc::new(roots)).build();
        let chains = chains.map_err(io::Error::other)?;
        let name = |name: &String| ServerName::try_from(name.clone()).map_err(io::Error::other);
        Ok(Callers { chains, names: names.iter().map(name).collect::<Result<_, _>>()? })
    }

    /// The same server, which only they may call.
    pub fn guard(self, server: &ServerConfig) -> ServerConfig {
        let mut guarded = ServerConfig::builder()
            .with_client_cert_verifier(Arc::new(self))
            .with_cert_resolver(Arc::clone(&server.cert_resolver));
        guarded.alpn_protocols.clone_from(&server.alpn_protocols);
        guarded
    }
}

impl ClientCertVerifier for Callers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chains.verify_client_cert(certificate, intermediates, now)?;
        let parsed = ParsedCertificate::try_from(certificate)?;
        let bears = |name| verify_server_name(&parsed, name).is_ok();
        if self.names.is_empty() || self.names.iter().any(bears) {
            return Ok(verified);
        }
        tracing::warn!("a caller of the proxy shows a certificate of another name");
        Err(CertificateError::NotValidForName.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests;
