//! `[xks]` and `[cloudhsm.<cluster id>]` of the configuration file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use haechi_kms::{CloudHsmCluster, KeyStoreSurroundings};
use haechi_xks::transport::TIMEOUT;
use haechi_xks::{Callers, Client, Https, HttpsOptions, Identity};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;

use crate::Failure;

/// The table `[xks]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XksOptions {
    /// Where the proxy listens; nowhere, if it is not given.
    pub listen: Option<SocketAddr>,
    /// A PEM file with the proxy's certificate chain, as AWS asks for a public one.
    certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    private_key: Option<PathBuf>,
    /// A PEM file of the authorities whose certificates callers of the proxy must show. Callers need
    /// none, if it is not given.
    client_authorities: Option<PathBuf>,
    /// Names of which such a certificate must bear one; any, if none is given.
    client_names: Vec<String>,
    /// A PEM file with the certificate chain that KMS shows to proxies that ask for one.
    client_certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    client_private_key: Option<PathBuf>,
    /// A PEM file of the only authorities that count for proxies that KMS asks; those of the
    /// system, if it is not given.
    ca: Option<PathBuf>,
    /// How long KMS waits for a proxy.
    timeout_ms: Option<u64>,
    /// Addresses of proxies that KMS asks, by host.
    endpoints: BTreeMap<String, SocketAddr>,
    /// Addresses that stand for VPC endpoint services, by name.
    vpc_endpoint_services: BTreeMap<String, SocketAddr>,
}

/// A table `[cloudhsm.<cluster id>]`: a PKCS#11 token that stands for a cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudHsmOptions {
    /// The vendor's library.
    module: PathBuf,
    /// The label of the token.
    token: String,
    /// A PEM file with the certificate that a key store must name.
    trust_anchor: Option<PathBuf>,
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!("the certificates {} cannot be read: {error}", path.display())
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"there is none in it").into()) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| {
        format!("the private key {} cannot be read: {error}", path.display()).into()
    })
}

impl XksOptions {
    /// The proxy's TLS as `server` has it, for those callers alone that the operator names.
    pub(super) fn guard(
        &self,
        server: Arc<rustls::ServerConfig>,
    ) -> Result<Arc<rustls::ServerConfig>, Failure> {
        let Some(authorities) = &self.client_authorities else {
            if self.client_names.is_empty() {
                return Ok(server);
            }
            return Err("xks.client_names counts with xks.client_authorities alone".into());
        };
        let callers = Callers::new(certificates(authorities)?, &self.client_names);
        let callers = callers.map_err(|error| {
            format!("xks.client_authorities or xks.client_names is wrong: {error}")
        })?;
        Ok(Arc::new(callers.guard(&server)))
    }

    /// What KMS shows proxies.
    fn identity(&self) -> Result<Option<Identity>, Failure> {
        match (&self.client_certificate, &self.client_private_key) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => {
                Ok(Some(Identity { chain: certificates(chain)?, private_key: private_key(key)? }))
            }
            _ => Err("xks.client_certificate and xks.client_private_key go together".into()),
        }
    }

    /// The proxy's own certificate, if it has one.
    pub(super) fn server_tls(&self) -> Result<Option<Arc<rustls::ServerConfig>>, Failure> {
        let (certificate, key) = match (&self.certificate, &self.private_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err("xks.certificate and xks.private_key go together".into()),
        };
        let private_key = private_key(key)?;
        let mut config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(certificates(certificate)?, private_key)
            .map_err(|error| format!("xks.certificate does not fit xks.private_key: {error}"))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Arc::new(config)))
    }

    /// What custom key stores may use.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn surroundings(
        &self,
        clusters: &BTreeMap<String, CloudHsmOptions>,
    ) -> Result<KeyStoreSurroundings, Failure> {
        let authorities = self.ca.as_deref().map(certificates).transpose()?;
        let timeout = self.timeout_ms.map_or(TIMEOUT, Duration::from_millis);
        let https =
            Https::new(HttpsOptions { authorities, timeout, identity: self.identity()? })
                .map_err(|error| format!("xks.ca or xks.client_certificate is wrong: {error}"))?;
        let mut surroundings = KeyStoreSurroundings::new(Client::new(Arc::new(https)));
        surroundings.endpoints.clone_from(&self.endpoints);
        surroundings.vpc_endpoint_services.clone_from(&self.vpc_endpoint_services);
        for (id, options) in clusters {
            let read = |path: &PathBuf| {
                let text = std::fs::read_to_string(path);
                text.map_err(|error| format!("cannot read {}: {error}", path.display()))
            };
            let cluster = CloudHsmCluster {
                module: options.module.clone(),
                token: options.token.clone(),
                trust_anchor_certificate: options.trust_anchor.as_ref().map(read).transpose()?,
            };
            surroundings.clusters.insert(id.clone(), cluster);
        }
        Ok(surroundings)
    }
}
