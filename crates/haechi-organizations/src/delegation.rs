//! Service principals, as trusted access and delegation name them.

use haechi_organizations_model::Error;

use crate::error::invalid;

/// Refuses what is no service principal: `config.amazonaws.com` is one.
pub(crate) fn check(service: &str) -> Result<(), Error> {
    let name = service.strip_suffix(".amazonaws.com").unwrap_or_default();
    let known = !name.is_empty()
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        });
    if known {
        return Ok(());
    }
    let message = "You specified an unrecognized service principal.";
    Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", message))
}
