//! A compact JWS (RFC 7515 §7.1) whose payload is JSON claims (RFC 7519).
//!
//! ```text
//! token = base64url(header) "." base64url(claims) "." base64url(signature)
//!         └───────────── what is signed ────────┘
//! ```

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Algorithm, Claims, KeySet};

/// A token is at most this long (`clientTokenType` of STS).
pub const TOKEN_BYTES_MAX: usize = 20_000;

/// Text that is no token, or one of a kind that is never taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url, or no JSON objects in the first two.
    #[error("not a JSON Web Token")]
    Malformed,
    /// `none`, `HS256` and whatever else is not in [`Algorithm`].
    #[error("the token is signed with `{name}`, which is not taken")]
    UnsupportedAlgorithm {
        /// What the token names.
        name: String,
    },
    /// It has a header that must be understood and is not.
    #[error("the token has a critical header parameter that is not understood")]
    Critical,
}

/// Why a token is not what its issuer signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No key of the set has the token's key id.
    #[error("the key that the token names is not in the key set")]
    UnknownKey,
    /// The key does not fit, or the signature is another's.
    #[error("the signature is not valid")]
    InvalidSignature,
}

/// A token that was read and not verified.
#[derive(Debug)]
pub struct Token<'a> {
    signed: &'a [u8],
    signature: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Claims,
}

/// Only what is used: `jwk`, `jku`, `x5c` and `x5u` would let a token bring its own key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

impl<'a> Token<'a> {
    /// Reads a token; total on any text.
    ///
    /// # Errors
    /// If it is none, or is signed in a way that is never taken.
    pub fn parse(text: &'a str) -> Result<Token<'a>, TokenError> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = json(header)?;
        let claims: Map<String, Value> = json(claims)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let Some(algorithm) = Algorithm::from_name(&header.alg) else {
            return Err(TokenError::UnsupportedAlgorithm { name: header.alg });
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        Ok(Token {
            signed: signed.as_bytes(),
            signature,
            algorithm,
            key_id: header.kid,
            claims: Claims(claims),
        })
    }

    /// The algorithm that the token names.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Who the token says has issued it: to find the keys by, and for nothing else.
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.claims.text("iss")
    }

    /// The claims, if a key of the set has signed them.
    ///
    /// # Errors
    /// If none has.
    pub fn verify(&self, keys: &KeySet) -> Result<&Claims, VerifyError> {
        let mut reason = VerifyError::UnknownKey;
        for key in keys.candidates(self.key_id.as_deref()) {
            if key.verifies(self.algorithm, self.signed, &self.signature) {
                return Ok(&self.claims);
            }
            reason = VerifyError::InvalidSignature;
        }
        Err(reason)
    }
}

#[cfg(test)]
mod tests;
