//! `[smtp]` of the configuration file.

use std::path::PathBuf;

use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::mail::{Mailer, Relay};
use crate::Failure;
use crate::outbound::OutboundOptions;
use crate::stack::Stack;

/// How the way to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// After `STARTTLS`, which the relay must offer.
    Starttls,
    /// From the beginning.
    Tls,
    /// Not at all: to a relay on the same machine only.
    None,
}

/// The table `[smtp]`: the relay that mail goes to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpOptions {
    host: String,
    port: Option<u16>,
    tls: Option<SmtpTls>,
    /// The sender's address.
    from: String,
    username: Option<String>,
    /// A file with the password.
    password_file: Option<PathBuf>,
}

/// Opens the ways to HTTP endpoints and mailboxes.
///
/// # Errors
/// If a file cannot be read, or is not what it should be; the message names it.
pub fn mount(
    stack: &Stack,
    outbound: [&OutboundOptions; 2],
    smtp: Option<&SmtpOptions>,
) -> Result<(), Failure> {
    let authorities = stack.outbound.open_as(outbound)?;
    if let Some(smtp) = smtp {
        stack.endpoints.open_mail(mailer(smtp, &authorities)?);
    }
    Ok(())
}

fn mailer(smtp: &SmtpOptions, authorities: &[CertificateDer<'_>]) -> Result<Mailer, Failure> {
    let tls = smtp.tls.unwrap_or(SmtpTls::Starttls);
    let is_local = ["localhost", "127.0.0.1", "::1"].contains(&smtp.host.as_str());
    if tls == SmtpTls::None && !is_local {
        return Err(format!("smtp: mail goes to {} over TLS only", smtp.host).into());
    }
    let password = match (&smtp.username, &smtp.password_file) {
        (Some(username), Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                format!("smtp: the password file {} cannot be read: {error}", file.display())
            })?;
            let text = Zeroizing::new(text);
            Some((username.clone(), Zeroizing::new(text.trim_end_matches('\n').to_owned())))
        }
        (None, None) => None,
        _ => return Err("smtp: username and password_file go together".into()),
    };
    let port = smtp.port.unwrap_or(match tls {
        SmtpTls::Starttls => 587,
        SmtpTls::Tls => 465,
        SmtpTls::None => 25,
    });
    let relay = Relay { host: &smtp.host, port, tls, password };
    Mailer::new(relay, &smtp.from, authorities).map_err(|error| format!("smtp: {error}").into())
}
