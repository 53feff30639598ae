//! Service principals, as trusted access and delegation name them.

use haechi_organizations_model::Error;
use haechi_policy::reference::is_service_principal;

use crate::error::invalid;

/// Refuses what is no service principal: `config.amazonaws.com` is one.
pub(crate) fn check(service: &str) -> Result<(), Error> {
    if is_service_principal(service) {
        return Ok(());
    }
    let message = "You specified an unrecognized service principal.";
    Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", message))
}
