//! Any text as a token, and any text as the key set of its issuer: nothing panics, and nothing
//! verifies but what the issuer signed.
//!
//! Input: a token, a NUL, a key set. The set may well hold a key that somebody made himself, so
//! the promise is checked against a set whose private key nobody here has.
#![no_main]

use haechi_jwt::{KeySet, Token};
use libfuzzer_sys::fuzz_target;

/// RFC 8037, appendix A.2, and RFC 7515, appendix A.3: their private keys signed other texts.
const PUBLISHED: &[u8] = br#"{"keys":[
    {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty":"EC","crv":"P-256","kid":"b","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
     "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (token, keys) = text.split_once('\0').unwrap_or((text, ""));
    let keys = KeySet::parse(keys.as_bytes());
    let Ok(token) = Token::parse(token) else { return };
    let _ = token.unverified_issuer();
    if let Ok(keys) = &keys
        && let Ok(claims) = token.verify(keys)
    {
        let _ = (claims.texts("aud"), claims.time("exp"), claims.all().count());
    }
    let published = KeySet::parse(PUBLISHED).expect("a key set");
    if let Ok(claims) = token.verify(&published) {
        // The one token that these keys are known to have signed.
        assert_eq!(claims.text("iss"), Some("joe"), "a forged signature");
    }
});
