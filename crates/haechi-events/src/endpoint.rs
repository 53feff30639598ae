//! The URLs that API destinations and token endpoints have. Pure.

use haechi_events_model::Error;

use crate::bus::invalid;

/// Refuses a URL that is not of HTTPS, or names no host.
pub(crate) fn check(parameter: &str, url: &str) -> Result<(), Error> {
    let scheme = url.get(..8).unwrap_or_default();
    let rest = url.get(8..).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("https://") || host.is_empty() || host.starts_with(':') {
        return Err(invalid(format!(
            "Parameter {parameter} is not valid. Reason: It must be an HTTPS URL."
        )));
    }
    // Credentials belong into the connection, and a host is no wildcard.
    if host.contains(['@', '*']) {
        return Err(invalid(format!(
            "Parameter {parameter} is not valid. Reason: Its host must be a name."
        )));
    }
    Ok(())
}

/// A text as part of a path or a query.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_urls_with_a_host_are_endpoints() {
        for good in ["https://a.example/x?y=*", "HTTPS://a.example", "https://a.example:8443/*"] {
            assert!(check("InvocationEndpoint", good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example",
            "https://",
            "https:///x",
            "https://:443/",
            "ftp://a",
            "a.example",
            "https://u:p@a.example/",
            "https://*.example/",
            "",
        ] {
            assert!(check("InvocationEndpoint", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_separates_is_escaped() {
        assert_eq!(escaped("a/b c&d=é"), "a%2Fb%20c%26d%3D%C3%A9");
    }
}
