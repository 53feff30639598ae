//! External keys, both ways: what custom key stores of KMS may use, and the XKS proxy that lets
//! another KMS use keys of this one.
//!
//! ```text
//! xks/options.rs   [xks] and [cloudhsm.…] of the configuration file
//! xks/exposure.rs  which keys another KMS may use, and its credentials: a row per path prefix
//! xks/manager.rs   the key manager behind the proxy: KMS
//! xks/record.rs    the audit record of a request to the proxy
//! ```

mod exposure;
mod manager;
mod options;
mod record;

use std::sync::Arc;

use haechi_xks::{Listener, ListenerLimits, Server};

pub use exposure::{Credential, ExposedKey, Exposure};
pub use options::{CloudHsmOptions, XksOptions};

use crate::Failure;
use crate::installation::Installation;

/// The proxy, bound and ready.
pub struct Proxy {
    /// Its port.
    pub listener: Listener,
    /// What answers there.
    pub server: Arc<Server>,
}

/// Binds the proxy, if it is configured. Without a certificate of its own it has the server's.
///
/// # Errors
/// If the address cannot be bound, or the certificate cannot be read.
pub async fn proxy(
    options: &XksOptions,
    own: &Arc<rustls::ServerConfig>,
    installation: &Arc<Installation>,
) -> Result<Option<Proxy>, Failure> {
    let Some(address) = options.listen else { return Ok(None) };
    let tls = options.guard(options.server_tls()?.unwrap_or_else(|| Arc::clone(own)))?;
    let bound = Listener::bind(address, tls, ListenerLimits::default()).await;
    let listener = bound.map_err(|error| {
        format!("cannot listen on {address} for external keys: {error}. xks.listen chooses another")
    })?;
    let keys = manager::Manager::new(Arc::clone(installation));
    Ok(Some(Proxy { listener, server: Arc::new(Server::new(Arc::new(keys))) }))
}
