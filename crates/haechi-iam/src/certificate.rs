//! X.509 certificates in PEM.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use haechi_iam_model::Error;
use x509_parser::pem::{Pem, parse_x509_pem};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::user::ID_ALPHABET;

fn malformed() -> Error {
    // What many report of AWS.
    let message = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    Error::MalformedCertificateException(message.to_owned())
}

/// The one certificate in a text.
///
/// # Errors
/// `MalformedCertificate`.
pub(crate) fn der(text: &str) -> Result<Vec<u8>, Error> {
    let (rest, pem) = parse_x509_pem(text.trim().as_bytes()).map_err(|_| malformed())?;
    let (tail, _) = X509Certificate::from_der(&pem.contents).map_err(|_| malformed())?;
    let is_one = pem.label == "CERTIFICATE" && tail.is_empty();
    if !is_one || !rest.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed());
    }
    Ok(pem.contents)
}

/// The id that a signing certificate has wherever it is uploaded: its SHA-1 in base32.
pub(crate) fn id(der: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    let digits = hash.as_ref().chunks(5).flat_map(|chunk| {
        let bits = chunk.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        (0..8).rev().map(move |at| usize::try_from((bits >> (5 * at)) & 31).unwrap_or_default())
    });
    digits.filter_map(|digit| ID_ALPHABET.get(digit)).map(|byte| char::from(*byte)).collect()
}

/// Refuses what is no chain of certificates.
///
/// # Errors
/// `MalformedCertificate`.
pub(crate) fn chain(text: &str) -> Result<(), Error> {
    let malformed =
        || Error::MalformedCertificateException("Certificate chain is invalid.".to_owned());
    let mut count = 0;
    for pem in Pem::iter_from_buffer(text.trim().as_bytes()) {
        let pem = pem.map_err(|_| malformed())?;
        X509Certificate::from_der(&pem.contents).map_err(|_| malformed())?;
        count += 1;
    }
    if count == 0 { Err(malformed()) } else { Ok(()) }
}
