//! `[outbound]` of the configuration file.

use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

use super::{Outbound, Way};
use crate::Failure;

/// The table `[outbound]`, and the table `[sns]`, which says the same.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboundOptions {
    /// A PEM file of authorities that count for endpoints beside the system's.
    ca_bundle: Option<PathBuf>,
    /// Hosts that are called in private networks and without TLS too.
    allowed_hosts: Vec<String>,
}

impl Outbound {
    /// Opens the way as the tables say together; answers the authorities that count.
    ///
    /// # Errors
    /// If a file cannot be read, or is not what it should be; the message names it.
    pub fn open_as(
        &self,
        tables: [&OutboundOptions; 2],
    ) -> Result<Vec<CertificateDer<'static>>, Failure> {
        // One that cannot be read takes nothing from the others.
        let mut authorities = rustls_native_certs::load_native_certs().certs;
        let mut allowed_hosts = Vec::new();
        for table in tables {
            if let Some(bundle) = &table.ca_bundle {
                authorities.extend(certificates(bundle)?);
            }
            allowed_hosts.extend(table.allowed_hosts.iter().cloned());
        }
        self.open(Way::new(&authorities, allowed_hosts));
        Ok(authorities)
    }
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!("the certificates {} cannot be read: {error}", path.display())
    };
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    Ok(found.map_err(|error| wrong(&error))?)
}
