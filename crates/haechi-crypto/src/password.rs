//! Passwords of people, kept as Argon2id (RFC 9106) of the password and a random salt.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{CryptoError, Random, SecretBytes};

const SALT_BYTES: usize = 16;

/// Memory in KiB, passes and lanes of a new hash: what OWASP's "Password Storage" asks for at
/// least. About 20 ms on one core, which is what an attacker pays for each guess too.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The most that a stored hash may ask for, so that a changed record cannot exhaust the machine.
const COST_MAX: (u32, u32, u32) = (262_144, 16, 4);

/// A password that can be recognised and not read. It says what it cost, so that later programs can
/// ask for more.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    tag: Zeroizing<Vec<u8>>,
}

impl PasswordHash {
    /// The hash of a new password.
    ///
    /// # Errors
    /// When the random source or an allocation fails.
    pub fn create(password: &[u8], random: &dyn Random) -> Result<Self, CryptoError> {
        let mut salt = vec![0; SALT_BYTES];
        random.fill(&mut salt)?;
        let tag = Zeroizing::new(Vec::new());
        let (memory_kib, passes, lanes) = COST;
        let mut hash = Self { memory_kib, passes, lanes, salt, tag };
        hash.tag = Zeroizing::new(hash.derive(password)?.expose().to_vec());
        Ok(hash)
    }

    /// Whether it is the hash of this password; compares in constant time.
    ///
    /// # Errors
    /// When an allocation fails, or the hash asks for more than is ever given.
    pub fn matches(&self, password: &[u8]) -> Result<bool, CryptoError> {
        let derived = self.derive(password)?;
        Ok(SecretBytes::copy_from(&self.tag).is_some_and(|kept| kept == derived))
    }

    fn derive(&self, password: &[u8]) -> Result<SecretBytes<32>, CryptoError> {
        const FAILED: CryptoError = CryptoError::new("compute Argon2id");
        let Self { memory_kib, passes, lanes, .. } = *self;
        if memory_kib > COST_MAX.0 || passes > COST_MAX.1 || lanes > COST_MAX.2 {
            return Err(FAILED);
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| FAILED)?;
        // Our own memory, so that it is wiped: it would shorten a guess.
        let mut memory = Zeroizing::new(vec![Block::new(); params.block_count()]);
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, &self.salt, &mut key, memory.as_mut_slice())
            .map_err(|_| FAILED)?;
        Ok(SecretBytes::take(&mut key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded::SeededRandom;

    #[test]
    fn a_hash_knows_its_own_password_only() {
        let hash = PasswordHash::create("pä$$word".as_bytes(), &SeededRandom::new(1)).unwrap();
        assert!(hash.matches("pä$$word".as_bytes()).unwrap());
        for wrong in ["pa$$word", "pä$$wor", "pä$$word ", ""] {
            assert!(!hash.matches(wrong.as_bytes()).unwrap(), "{wrong}");
        }
    }

    #[test]
    fn the_same_password_has_another_hash_each_time() {
        let random = SeededRandom::new(1);
        let one = PasswordHash::create(b"password", &random).unwrap();
        let other = PasswordHash::create(b"password", &random).unwrap();
        assert_ne!(one.salt, other.salt);
        assert_ne!(*one.tag, *other.tag);
    }

    #[test]
    fn a_hash_that_asks_for_too_much_is_refused() {
        let hash = PasswordHash::create(b"password", &SeededRandom::new(1)).unwrap();
        let greedy = PasswordHash { memory_kib: COST_MAX.0 + 1, ..hash };
        assert!(greedy.matches(b"password").is_err());
    }
}
