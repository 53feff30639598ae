//! Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA-1, steps of 30 seconds, six
//! digits. It is what every authenticator app does by default, and what AWS's virtual MFA devices
//! are. SHA-1's weakness, collisions, does not touch HMAC.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{CryptoError, Random, SecretVec};

/// Length of a time step, in milliseconds.
pub const STEP_MS: i64 = 30_000;

/// Digits of a code.
pub const CODE_DIGITS: usize = 6;

/// Bytes of a new seed: 64 characters of base32, as AWS's are.
const SEED_BYTES: usize = 40;

/// RFC 4648.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a device and its verifier share.
pub struct TotpSeed {
    bytes: SecretVec,
    key: hmac::Key,
}

/// The time step that a time is in; `unix_ms` is in milliseconds.
#[must_use]
pub const fn step(unix_ms: i64) -> i64 {
    unix_ms.div_euclid(STEP_MS)
}

impl TotpSeed {
    /// A fresh seed of 40 bytes.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut bytes = SecretVec::zero(SEED_BYTES);
        random.fill(bytes.expose_mut())?;
        Ok(Self::new(bytes))
    }

    /// The seed of these bytes.
    #[must_use]
    pub fn new(bytes: SecretVec) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, bytes.expose());
        Self { bytes, key }
    }

    /// The seed in base32 without padding; `None` if it is not that.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
        let (mut buffer, mut bits) = (0_u32, 0_u32);
        for character in text.bytes() {
            let value = BASE32.iter().position(|known| *known == character)?;
            buffer = (buffer << 5) | u32::try_from(value).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((buffer >> bits) & 0xff).ok()?);
                buffer &= (1 << bits) - 1;
            }
        }
        (!bytes.is_empty()).then(|| Self::new(SecretVec::copy_from(&bytes)))
    }

    /// The seed in base32 (RFC 4648) without padding, as apps are told it.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.bytes.len().div_ceil(5) * 8));
        for chunk in self.bytes.expose().chunks(5) {
            let mut padded = Zeroizing::new([0_u8; 8]);
            for (to, from) in padded.iter_mut().skip(3).zip(chunk) {
                *to = *from;
            }
            let bits = Zeroizing::new(u64::from_be_bytes(*padded));
            for at in 0..(chunk.len() * 8).div_ceil(5) {
                let index = usize::try_from((*bits >> (35 - 5 * at)) & 0x1f).unwrap_or_default();
                text.extend(BASE32.get(index).map(|character| char::from(*character)));
            }
        }
        text
    }

    /// The code of a time step.
    #[must_use]
    pub fn code(&self, step: i64) -> Zeroizing<String> {
        let tag = hmac::sign(&self.key, &step.to_be_bytes());
        let tag = tag.as_ref();
        // RFC 4226, 5.3: the last four bits say where the 31 bits lie that make the code.
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let word = tag.iter().skip(offset).take(4);
        let word = word.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        let code = (word & 0x7fff_ffff) % 10_u32.pow(6);
        Zeroizing::new(format!("{code:0width$}", width = CODE_DIGITS))
    }

    /// Whether `code` is the code of a time step; constant time in the code.
    #[must_use]
    pub fn matches(&self, step: i64, code: &str) -> bool {
        self.code(step).as_bytes().ct_eq(code.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded::SeededRandom;

    fn seed() -> TotpSeed {
        TotpSeed::new(SecretVec::copy_from(b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // The appendix shows eight digits; the last six are the code of six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed().code(step(seconds * 1000)).as_str(), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_matches_in_its_own_step_only() {
        let seed = seed();
        assert!(seed.matches(1, "287082"));
        for wrong in ["287083", "28708", "2870820", "", "２87082"] {
            assert!(!seed.matches(1, wrong), "{wrong}");
        }
        assert!(!seed.matches(2, "287082"));
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            let seed = TotpSeed::new(SecretVec::copy_from(plain.as_bytes()));
            assert_eq!(seed.base32().as_str(), text);
            let read = TotpSeed::from_base32(text).unwrap();
            assert_eq!(read.bytes.expose(), plain.as_bytes());
        }
        assert!(TotpSeed::from_base32("mzxw").is_none());
        assert!(TotpSeed::from_base32("").is_none());
    }

    #[test]
    fn a_new_seed_has_64_characters_that_lead_back_to_it() {
        let seed = TotpSeed::generate(&SeededRandom::new(1)).unwrap();
        let text = seed.base32();
        assert_eq!(text.len(), 64);
        assert_eq!(TotpSeed::from_base32(&text).unwrap().code(7), seed.code(7));
        assert_ne!(TotpSeed::generate(&SeededRandom::new(2)).unwrap().base32(), text);
    }
}
