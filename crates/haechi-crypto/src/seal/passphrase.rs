//! The passphrase seal: the root key wrapped under Argon2id (RFC 9106) of a passphrase.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{SealError, config::base64_bytes};
use crate::aead::Aead;
use crate::canonical::push_field;
use crate::{CryptoError, Random, RootKey, SecretBytes, SecretVec};

/// Shortest passphrase that a new seal accepts, in bytes.
pub const PASSPHRASE_BYTES_MIN: usize = 8;

const SALT_BYTES: usize = 16;
const LABEL: &[u8] = b"haechi/seal/passphrase/v1";

/// What one guess costs. Stored beside the wrapped key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argon2idCost {
    /// Memory, in KiB; 65,536 to 4,194,304.
    pub memory_kib: u32,
    /// Passes over the memory; 3 to 64.
    pub passes: u32,
    /// Parallel lanes; 1 to 16.
    pub lanes: u32,
}

impl Default for Argon2idCost {
    /// 64 MiB, 3 passes, 1 lane: the least that is accepted; about 0.1 s on one core.
    fn default() -> Self {
        Self { memory_kib: 65_536, passes: 3, lanes: 1 }
    }
}

impl Argon2idCost {
    /// The lower bounds keep a changed `seal.json` from weakening a re-wrap, the upper ones from
    /// exhausting the machine.
    fn check(self) -> Result<Self, SealError> {
        let Self { memory_kib, passes, lanes } = self;
        let accepted = (65_536..=4_194_304).contains(&memory_kib)
            && (3..=64).contains(&passes)
            && (1..=16).contains(&lanes);
        if accepted {
            Ok(self)
        } else {
            Err(SealError::CostOutOfRange { memory_kib, passes, lanes })
        }
    }
}

/// A root key wrapped under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseSeal {
    cost: Argon2idCost,
    #[serde(with = "base64_bytes")]
    salt: Vec<u8>,
    #[serde(with = "base64_bytes")]
    wrapped_root_key: Vec<u8>,
}

impl PassphraseSeal {
    pub(super) fn create(
        passphrase: &SecretVec,
        cost: Argon2idCost,
        root: &RootKey,
        random: &dyn Random,
    ) -> Result<Self, SealError> {
        let length = passphrase.len();
        if length < PASSPHRASE_BYTES_MIN {
            let minimum = PASSPHRASE_BYTES_MIN;
            return Err(SealError::PassphraseTooShort { length, minimum });
        }
        let mut salt = vec![0; SALT_BYTES];
        random.fill(&mut salt)?;
        let mut seal = Self { cost, salt, wrapped_root_key: Vec::new() };
        let key = seal.wrapping_key(passphrase)?;
        let mut wrapped = Vec::new();
        key.seal_into(&mut wrapped, &seal.aad(), root.expose(), random)?;
        seal.wrapped_root_key = wrapped;
        Ok(seal)
    }

    pub(super) fn unseal(&self, passphrase: &SecretVec) -> Result<RootKey, SealError> {
        let key = self.wrapping_key(passphrase)?;
        let opened = key.open(&self.aad(), &self.wrapped_root_key);
        let bytes = opened.ok_or(SealError::WrongPassphrase)?;
        RootKey::copy_from(bytes.expose()).ok_or(SealError::WrongPassphrase)
    }

    fn wrapping_key(&self, passphrase: &SecretVec) -> Result<Aead, SealError> {
        Ok(Aead::new(self.derive(passphrase)?.expose())?)
    }

    pub(super) fn derive(&self, passphrase: &SecretVec) -> Result<SecretBytes<32>, SealError> {
        const FAILED: CryptoError = CryptoError::new("compute Argon2id");
        let cost = self.cost.check()?;
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
        let params = params.map_err(|_| FAILED)?;
        // Our own memory, so that it is wiped: it would shorten a guess.
        let mut memory = Zeroizing::new(vec![Block::new(); params.block_count()]);
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose(),
                &self.salt,
                &mut key,
                memory.as_mut_slice(),
            )
            .map_err(|_| FAILED)?;
        Ok(SecretBytes::take(&mut key))
    }

    fn aad(&self) -> Vec<u8> {
        let mut aad = Vec::new();
        push_field(&mut aad, LABEL);
        for parameter in [self.cost.memory_kib, self.cost.passes, self.cost.lanes] {
            aad.extend_from_slice(&parameter.to_be_bytes());
        }
        push_field(&mut aad, &self.salt);
        aad
    }
}
