//! Answers to a server's challenge.
//!
//! Source: MySQL internals, "Authentication Method".

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// `mysql_native_password`: SHA1(password) ^ SHA1(challenge ‖ SHA1(SHA1(password))).
pub(super) fn native(password: &str, challenge: &[u8]) -> Zeroizing<Vec<u8>> {
    let hash = |bytes: &[u8]| hashed(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    if password.is_empty() {
        return Zeroizing::default();
    }
    let once = hash(password.as_bytes());
    let mask = hash(&[challenge, &hash(&once)].concat());
    mixed(&once, &mask)
}

/// `caching_sha2_password`: SHA256(password) ^ SHA256(SHA256(SHA256(password)) ‖ challenge).
pub(super) fn caching(password: &str, challenge: &[u8]) -> Zeroizing<Vec<u8>> {
    let hash = |bytes: &[u8]| hashed(&SHA256, bytes);
    if password.is_empty() {
        return Zeroizing::default();
    }
    let once = hash(password.as_bytes());
    let mask = hash(&[&hash(&once), challenge].concat());
    mixed(&once, &mask)
}

/// What the server keeps of a password: `*` and SHA1(SHA1(password)).
pub(super) fn native_hash(password: &str) -> String {
    let hash = |bytes: &[u8]| hashed(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let twice = hash(&hash(password.as_bytes()));
    let digits: String = twice.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("*{digits}")
}

/// The password for a server that does not have it in its cache, under its public key (PEM).
pub(super) fn for_public_key(password: &str, challenge: &[u8], pem: &str) -> Option<Vec<u8>> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).ok()?;
    let mut plain = Zeroizing::new(password.as_bytes().to_vec());
    plain.push(0);
    let mask: Vec<u8> = challenge.iter().copied().cycle().take(plain.len()).collect();
    let plain = mixed(&plain, &mask);
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).ok()?).ok()?;
    let mut out = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut out, None).ok()?.len();
    out.truncate(length);
    Some(out)
}

fn hashed(algorithm: &'static Algorithm, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(digest(algorithm, bytes).as_ref().to_vec())
}

fn mixed(one: &[u8], other: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(one.iter().zip(other).map(|(one, other)| one ^ other).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_as_the_manual_shows_it() {
        // Reference Manual, PASSWORD('mypass').
        assert_eq!(native_hash("mypass"), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
    }
}
