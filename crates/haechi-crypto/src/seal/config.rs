//! `seal.json`: how to find the root key again, and how to know that it is the right one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::{read_limited, write_durably};
use super::{PassphraseSeal, Pkcs11Seal, SealError, ShamirSeal};
use crate::{Random, RootKey};

/// Name of the file in the data directory.
pub const SEAL_FILE_NAME: &str = "seal.json";

const VERSION: u32 = 1;
const CHECK_LABEL: &[u8] = b"haechi/seal/check/v1";

/// The content of `seal.json`. Holds no secret in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealConfig {
    version: u32,
    seal: SealMethod,
    epoch: u32,
    #[serde(with = "base64_bytes")]
    check: Vec<u8>,
}

/// How the root key is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum SealMethod {
    /// In a file of its own.
    File {
        /// Relative to the data directory, or absolute.
        path: PathBuf,
    },
    /// Wrapped under a passphrase.
    Passphrase(PassphraseSeal),
    /// Wrapped by a hardware token.
    Pkcs11(Pkcs11Seal),
    /// Wrapped under a key that is split among people.
    Shamir(ShamirSeal),
}

impl SealConfig {
    pub(super) fn new(
        seal: SealMethod,
        root: &RootKey,
        random: &dyn Random,
    ) -> Result<Self, SealError> {
        let check = make_check(root, 0, random)?;
        Ok(Self { version: VERSION, seal, epoch: 0, check })
    }

    /// Reads `seal.json` of a data directory; `None` if it has none yet.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn load(data_directory: &Path) -> Result<Option<Self>, SealError> {
        let path = data_directory.join(SEAL_FILE_NAME);
        let Some(bytes) = read_limited(&path)? else { return Ok(None) };
        let malformed = |reason: String| SealError::ConfigMalformed { path: path.clone(), reason };
        let config: Self =
            serde_json::from_slice(bytes.expose()).map_err(|error| malformed(error.to_string()))?;
        if config.version != VERSION {
            return Err(malformed(format!("version {} is not {VERSION}", config.version)));
        }
        Ok(Some(config))
    }

    /// Writes `seal.json` (0600) so that a crash leaves the old or the new one, never a part.
    ///
    /// # Errors
    /// When a file operation fails.
    pub fn save(&self, data_directory: &Path) -> Result<(), SealError> {
        let path = data_directory.join(SEAL_FILE_NAME);
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| {
            SealError::ConfigMalformed { path: path.clone(), reason: error.to_string() }
        })?;
        json.push(b'\n');
        write_durably(&path, &json)
    }

    /// How the root key is kept.
    #[must_use]
    pub fn method(&self) -> &SealMethod {
        &self.seal
    }

    /// Lowest id that the store's newest domain key may have; for [`crate::Keyring::open`].
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Records that domain key `epoch` is durably stored. Save afterwards. A crash before that is
    /// harmless: a store that is newer than its seal opens.
    ///
    /// # Errors
    /// When `epoch` is lower than the present one, the root key is another one, or randomness fails.
    pub fn advance_epoch(
        &mut self,
        root: &RootKey,
        epoch: u32,
        random: &dyn Random,
    ) -> Result<(), SealError> {
        if epoch < self.epoch {
            return Err(SealError::EpochBackwards { current: self.epoch, requested: epoch });
        }
        self.verify(root)?;
        self.check = make_check(root, epoch, random)?;
        self.epoch = epoch;
        Ok(())
    }

    /// Whether `root` is the root key that this seal was made for.
    ///
    /// # Errors
    /// [`SealError::WrongRootKey`].
    pub fn verify(&self, root: &RootKey) -> Result<(), SealError> {
        let opened = root.check_aead()?.open(&check_aad(self.epoch), &self.check);
        match opened {
            Some(label) if label.expose() == CHECK_LABEL => Ok(()),
            _ => Err(SealError::WrongRootKey),
        }
    }
}

fn make_check(root: &RootKey, epoch: u32, random: &dyn Random) -> Result<Vec<u8>, SealError> {
    let mut check = Vec::new();
    root.check_aead()?.seal_into(&mut check, &check_aad(epoch), CHECK_LABEL, random)?;
    Ok(check)
}

fn check_aad(epoch: u32) -> [u8; 4] {
    epoch.to_be_bytes()
}

/// Bytes as base64 in JSON.
pub(super) mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
