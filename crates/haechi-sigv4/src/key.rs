//! The signing key: the secret key, narrowed to one day, Region and service.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::encode::parse_sha256_hex;

/// A key that signs for one access key, date, Region and service.
///
/// Deriving it costs four HMACs, about as much as all the rest of a verification, so it is made
/// to be cached by (access key id, date, Region, service). The key schedule is wiped when it is
/// dropped (by aws-lc). It has no `Debug`.
#[derive(Clone)]
pub struct SigningKey {
    /// None only if aws-lc could not compute an HMAC (out of memory); such a key matches nothing.
    hmac: Option<hmac::Key>,
    scope: Box<str>,
}

impl SigningKey {
    /// Derives the key; `date` is `YYYYMMDD` as in the credential scope.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", step "Calculate the signature".
    #[must_use]
    pub fn derive(secret_access_key: &str, date: &str, region: &str, service: &str) -> Self {
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret_access_key.len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret_access_key.as_bytes());
        let start = hmac::Key::new(hmac::HMAC_SHA256, &start);
        let hmac = [date, region, service, "aws4_request"].into_iter().try_fold(
            start,
            |key, part| -> Option<hmac::Key> {
                let derived = mac(&key, part.as_bytes())?;
                Some(hmac::Key::new(hmac::HMAC_SHA256, &*derived))
            },
        );
        Self { hmac, scope: format!("{date}/{region}/{service}/aws4_request").into() }
    }

    /// The credential scope that this key signs for, `20150830/us-east-1/iam/aws4_request`.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The signature of a string to sign.
    pub(crate) fn signature(&self, string_to_sign: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        mac(self.hmac.as_ref()?, string_to_sign)
    }

    /// Whether `signature` (lower-case hex) is that of `string_to_sign`, in constant time.
    pub(crate) fn matches(&self, string_to_sign: &[u8], signature: &str) -> bool {
        let (Some(expected), Some(presented)) =
            (self.signature(string_to_sign), parse_sha256_hex(signature))
        else {
            return false;
        };
        expected.as_slice().ct_eq(&presented).into()
    }
}

/// HMAC-SHA256 into memory that is wiped.
fn mac(key: &hmac::Key, data: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut out = Zeroizing::new([0; 32]);
    hmac::sign_to_buffer(key, data, out.as_mut_slice()).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// IAM User Guide, signature examples: the string to sign and signature of a ListUsers call.
    const TO_SIGN: &[u8] = b"AWS4-HMAC-SHA256\n20150830T123600Z\n\
        20150830/us-east-1/iam/aws4_request\n\
        f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
    const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    #[test]
    fn derivation_gives_the_signature_of_amazons_documentation() {
        let key = SigningKey::derive(SECRET, "20150830", "us-east-1", "iam");
        assert_eq!(key.scope(), "20150830/us-east-1/iam/aws4_request");
        assert!(key.matches(TO_SIGN, SIGNATURE));
    }

    #[test]
    fn a_key_of_another_scope_or_secret_does_not_match() {
        for (secret, date, region, service) in [
            ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX", "20150830", "us-east-1", "iam"),
            (SECRET, "20150831", "us-east-1", "iam"),
            (SECRET, "20150830", "us-east-2", "iam"),
            (SECRET, "20150830", "us-east-1", "kms"),
        ] {
            let key = SigningKey::derive(secret, date, region, service);
            assert!(!key.matches(TO_SIGN, SIGNATURE), "{date} {region} {service}");
        }
    }

    #[test]
    fn a_signature_must_be_64_lower_case_hex_digits() {
        let key = SigningKey::derive(SECRET, "20150830", "us-east-1", "iam");
        for signature in ["", "0", &SIGNATURE.to_uppercase(), &SIGNATURE[..62]] {
            assert!(!key.matches(TO_SIGN, signature), "{signature}");
        }
    }
}
