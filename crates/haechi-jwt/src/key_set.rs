//! A JWK set (RFC 7517): the public keys that a provider publishes.

use aws_lc_rs::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::Algorithm;

/// A set is at most this long.
pub const KEY_SET_BYTES_MAX: usize = 256 * 1024;

/// Keys in one set, at most.
const KEYS_MAX: usize = 256;

/// Text that is no JWK set.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeySet {
    /// More bytes than a set may have.
    #[error("the key set has {bytes} bytes, and at most {KEY_SET_BYTES_MAX} are read")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// Not JSON of this form.
    #[error("the key set is not a JSON object with a list `keys` (RFC 7517)")]
    Malformed(#[source] serde_json::Error),
    /// More keys than a set may have.
    #[error("the key set has {keys} keys, and at most {KEYS_MAX} are read")]
    TooMany {
        /// How many.
        keys: usize,
    },
}

/// The keys of a set that can verify something here. Others (secrets, keys for encryption, unknown
/// kinds) are left out, as RFC 7517 §5 asks.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point as aws-lc takes it: uncompressed for ECDSA, 32 bytes for Ed25519.
    Curve {
        name: String,
        point: Vec<u8>,
    },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

fn bytes(text: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

impl Jwk {
    fn verifies(&self) -> bool {
        let signs = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        signs && self.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"))
    }

    fn material(&self) -> Option<Material> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (modulus, exponent) = (bytes(self.n.as_ref())?, bytes(self.e.as_ref())?);
                Some(Material::Rsa { modulus, exponent })
            }
            ("EC", Some(name)) => {
                let (x, y) = (bytes(self.x.as_ref())?, bytes(self.y.as_ref())?);
                let point = [&[4][..], &x, &y].concat();
                Some(Material::Curve { name: name.to_owned(), point })
            }
            ("OKP", Some(name)) => {
                Some(Material::Curve { name: name.to_owned(), point: bytes(self.x.as_ref())? })
            }
            _ => None,
        }
    }

    fn key(self) -> Option<Key> {
        let material = self.material().filter(|_| self.verifies())?;
        Some(Key { id: self.kid, algorithm: self.alg, material })
    }
}

impl KeySet {
    /// Reads a set; total on any bytes.
    ///
    /// # Errors
    /// If it is too long, or no JWK set.
    pub fn parse(text: &[u8]) -> Result<KeySet, InvalidKeySet> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(InvalidKeySet::TooLong { bytes: text.len() });
        }
        let set: Set = serde_json::from_slice(text).map_err(InvalidKeySet::Malformed)?;
        if set.keys.len() > KEYS_MAX {
            return Err(InvalidKeySet::TooMany { keys: set.keys.len() });
        }
        Ok(KeySet { keys: set.keys.into_iter().filter_map(Jwk::key).collect() })
    }

    /// Whether no key of it can verify anything.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token may be signed with: those of its key id. A token without one fits a
    /// set that has one key only.
    pub(crate) fn candidates<'a>(&'a self, id: Option<&'a str>) -> impl Iterator<Item = &'a Key> {
        let only = self.keys.len() == 1;
        self.keys.iter().filter(move |key| match id {
            Some(_) => key.id.as_deref() == id,
            None => only,
        })
    }
}

impl Key {
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm.name()) {
            return false;
        }
        match &self.material {
            Material::Rsa { modulus, exponent } => algorithm.rsa().is_some_and(|parameters| {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, signed, signature).is_ok()
            }),
            Material::Curve { name, point } => algorithm.curve().is_some_and(|(curve, verify)| {
                let key = UnparsedPublicKey::new(verify, point);
                curve == name && key.verify(signed, signature).is_ok()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cannot_verify_are_left_out_and_the_others_stay() {
        let set = br#"{"keys":[
            {"kty":"oct","k":"c2VjcmV0","alg":"HS256","kid":"secret"},
            {"kty":"RSA","n":"AQAB","e":"AQAB","use":"enc","kid":"encrypts"},
            {"kty":"RSA","n":"AQAB","e":"AQAB","key_ops":["sign"],"kid":"signs"},
            {"kty":"RSA","n":"not base64!","e":"AQAB","kid":"damaged"},
            {"kty":"EC","kid":"no curve"},
            {"kty":"new","kid":"unknown"},
            {"kty":"OKP","crv":"Ed25519","x":"AQAB","kid":"good","x5c":["ignored"]}]}"#;
        let set = KeySet::parse(set).unwrap();
        assert_eq!(set.keys.len(), 1);
        assert_eq!(set.candidates(Some("good")).count(), 1);
        assert_eq!(set.candidates(Some("other")).count(), 0);
        assert_eq!(set.candidates(None).count(), 1);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[{"kid":"x"}]}"#] {
            assert!(matches!(KeySet::parse(text.as_bytes()), Err(InvalidKeySet::Malformed(_))));
        }
        let long = vec![b' '; KEY_SET_BYTES_MAX + 1];
        assert!(matches!(KeySet::parse(&long), Err(InvalidKeySet::TooLong { .. })));
        let many = format!(r#"{{"keys":[{}]}}"#, vec![r#"{"kty":"RSA"}"#; 257].join(","));
        assert!(matches!(KeySet::parse(many.as_bytes()), Err(InvalidKeySet::TooMany { .. })));
    }
}
