//! The root key: the one secret under which everything at rest is encrypted.
//!
//! It never encrypts data itself. Sub-keys by purpose do: one wraps the keyring's keys, one makes
//! the check value that tells a wrong root key apart before anything is opened or touched.

use crate::aead::Aead;
use crate::memory::LockedKey;
use crate::{CryptoError, Random, derive};

const KEYRING_LABEL: &str = "haechi/root/v1/keyring";
const CHECK_LABEL: &str = "haechi/root/v1/check";
const ID_LABEL: &str = "haechi/root/v1/id";

/// 32 random bytes on a page of their own, locked in memory where the system allows.
pub struct RootKey(LockedKey);

impl RootKey {
    /// A new random root key.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut key = LockedKey::zero();
        random.fill(key.expose_mut())?;
        Ok(Self(key))
    }

    /// The root key with these bytes; `None` unless there are 32. The caller wipes its own copy.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        let mut key = LockedKey::zero();
        if bytes.len() != key.expose().len() {
            return None;
        }
        key.expose_mut().copy_from_slice(bytes);
        Some(Self(key))
    }

    /// Whether the kernel keeps it out of swap. `false` means that `RLIMIT_MEMLOCK` is too low;
    /// worth a warning line.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// A name for the key that tells nothing of it: 16 hexadecimal digits, the same whenever the
    /// key is unsealed. What is wrapped under the key is stored under this name.
    ///
    /// # Errors
    /// When the library fails.
    pub fn id(&self) -> Result<String, CryptoError> {
        let derived = derive::subkey(self.0.expose(), ID_LABEL)?;
        Ok(derived.expose().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The bytes, for a seal that must write or wrap them.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Wraps and unwraps the keyring's rows.
    pub(crate) fn keyring_aead(&self) -> Result<Aead, CryptoError> {
        self.aead(KEYRING_LABEL)
    }

    /// Seals and opens the check value of `seal.json`.
    pub(crate) fn check_aead(&self) -> Result<Aead, CryptoError> {
        self.aead(CHECK_LABEL)
    }

    fn aead(&self, label: &str) -> Result<Aead, CryptoError> {
        Aead::new(derive::subkey(self.0.expose(), label)?.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_key_has_one_name_and_another_key_another() {
        let key = |byte| RootKey::copy_from(&[byte; 32]).unwrap();
        assert_eq!(key(1).id().unwrap(), key(1).id().unwrap());
        assert_ne!(key(1).id().unwrap(), key(2).id().unwrap());
        assert_eq!(key(1).id().unwrap().len(), 16);
        assert!(!key(1).id().unwrap().contains("0101"));
    }
}
