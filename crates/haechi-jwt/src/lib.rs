//! JSON Web Tokens of identity providers: parse, and verify against the provider's published keys.
//!
//! It stands apart from STS because it reads what strangers send before anybody is authenticated:
//! pure, bounded, fuzzed. What it guarantees:
//! * Claims come out of [`Token::verify`] only; what can be asked before is named `unverified`.
//! * The key decides what a signature must be, not the token: a token's `alg` has to fit the kind,
//!   curve, `alg`, `use` and `key_ops` of the key. There is no `none` and no `HS256`, so a public
//!   key can never be taken for a secret (RFC 8725 §2.1, §3.1).
//! * Header parameters that must be understood (`crit`) are refused, and keys in the header
//!   (`jwk`, `jku`, `x5c`) are never looked at.
//!
//! ```text
//! token.rs      a compact JWS (RFC 7515) with JSON claims (RFC 7519)
//! claims.rs     what a verified token says
//! key_set.rs    a JWK set (RFC 7517)
//! algorithm.rs  the signature algorithms (RFC 7518, RFC 8037)
//! ```

mod algorithm;
mod claims;
mod key_set;
mod token;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use key_set::{InvalidKeySet, KEY_SET_BYTES_MAX, KeySet};
pub use token::{TOKEN_BYTES_MAX, Token, TokenError, VerifyError};
