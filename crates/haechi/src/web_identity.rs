//! STS with identity providers, as the operator's configuration has it: `[web_identity]`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use haechi_core::SystemClock;
use haechi_sts::{Https, HttpsOptions, KeySet, KeySets, Sts, WebIdentity};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

use crate::Failure;
use crate::stack::Stack;

/// The table `[web_identity]` of the configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebIdentityOptions {
    /// A PEM file of authorities that count for providers beside the system's.
    ca_bundle: Option<PathBuf>,
    /// Hosts that may be asked for keys; all, if it is not given.
    allowed_hosts: Option<Vec<String>>,
    /// Keys of issuers that are not asked.
    key_sets: Vec<KeySetFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySetFile {
    issuer: String,
    file: PathBuf,
}

/// Mounts STS with what its callers may bring besides signatures.
///
/// # Errors
/// If a file cannot be read, or is not what it should be; the message names it.
pub fn mount(stack: &mut Stack, options: &WebIdentityOptions) -> Result<(), Failure> {
    let mut given = HashMap::new();
    for set in &options.key_sets {
        let wrong = |error: &dyn std::fmt::Display| {
            format!("the key set {} of {} is wrong: {error}", set.file.display(), set.issuer)
        };
        if !set.issuer.starts_with("https://") {
            return Err(wrong(&"an issuer begins with https://").into());
        }
        let text = std::fs::read(&set.file).map_err(|error| wrong(&error))?;
        let keys = KeySet::parse(&text).map_err(|error| wrong(&error))?;
        if keys.is_empty() {
            return Err(wrong(&"it has no key that verifies signatures").into());
        }
        given.insert(set.issuer.clone(), keys);
    }
    let https = Https::new(HttpsOptions {
        authorities: authorities(options)?,
        hosts: options.allowed_hosts.clone(),
    });
    let key_sets = Arc::new(KeySets::new(Arc::new(https), given));
    stack.key_sets = Some(Arc::clone(&key_sets));
    let web_identity = WebIdentity { key_sets, wall: Arc::new(SystemClock) };
    let (database, iam) = (Arc::clone(&stack.database), Arc::clone(&stack.iam));
    let sts = Sts::new(database, Arc::clone(&iam) as _).with_evidence(iam, web_identity);
    Arc::new(sts).mount(&mut stack.router);
    Ok(())
}

fn authorities(options: &WebIdentityOptions) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let Some(path) = &options.ca_bundle else { return Ok(Vec::new()) };
    let wrong = |error: &dyn std::fmt::Display| {
        format!("web_identity.ca_bundle {} is wrong: {error}", path.display())
    };
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?.collect();
    match found {
        Ok(found) if found.is_empty() => Err(wrong(&"it has no certificate").into()),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(&error).into()),
    }
}
