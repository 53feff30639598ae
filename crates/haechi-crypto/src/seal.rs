//! The seal: where the root key comes from when haechi starts.
//!
//! `seal.json` in the data directory says how, without holding a secret in the clear:
//!
//! | type | root key | the operator gives |
//! |---|---|---|
//! | `file` | in `root.key`, readable by its owner only | nothing |
//! | `passphrase` | wrapped under Argon2id(passphrase) | the passphrase |
//! | `pkcs11` | wrapped under an AES-256 key that never leaves the token | the token's PIN |
//! | `shamir` | wrapped under a key that is split among people | a threshold of shares |
//!
//! Every `seal.json` carries a *check value*: a fixed label sealed under the root key. It is opened
//! first, so a wrong root key is a clear refusal before anything else is read or touched. The check
//! value also authenticates the *epoch*, the newest domain key that this seal has seen, which lets
//! the keyring notice a store that was rolled back.
//!
//! A TPM or a cloud KMS would be further variants of [`SealMethod`].

mod config;
mod error;
mod file;
mod passphrase;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod shamir;

use std::path::{Path, PathBuf};

pub use config::{SEAL_FILE_NAME, SealConfig, SealMethod};
pub use error::SealError;
pub use file::{ROOT_KEY_FILE_NAME, read_secret_file};
pub use passphrase::{Argon2idCost, PASSPHRASE_BYTES_MIN, PassphraseSeal};
pub use shamir::{InstallationId, Quorum, SHARES_MAX, ShamirSeal, THRESHOLD_MIN};

use crate::{Random, RootKey, SecretVec};

/// What an AES-256 key wrapped by a PKCS#11 token needs to be found again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Seal {
    /// Path of the vendor's PKCS#11 library.
    pub module: PathBuf,
    /// Label of the token.
    pub token_label: String,
    /// Label of the AES-256 key in the token.
    pub key_label: String,
    /// `12-byte IV ‖ ciphertext ‖ 16-byte tag` by CKM_AES_GCM.
    #[serde(with = "config::base64_bytes")]
    pub wrapped_root_key: Vec<u8>,
}

/// Which seal a new data directory gets.
#[non_exhaustive]
pub enum SealRequest {
    /// The root key in a file. Whoever reads the disk reads everything: warn the operator.
    File {
        /// Relative to the data directory, or absolute; by default [`ROOT_KEY_FILE_NAME`].
        path: PathBuf,
    },
    /// The root key wrapped under a passphrase.
    Passphrase {
        /// At least [`PASSPHRASE_BYTES_MIN`] bytes.
        passphrase: SecretVec,
        /// Cost; [`Argon2idCost::default`] unless measured otherwise.
        cost: Argon2idCost,
    },
    /// The root key wrapped by a hardware token.
    Pkcs11 {
        /// Path of the vendor's PKCS#11 library.
        module: PathBuf,
        /// Label of an initialised token.
        token_label: String,
        /// Label of the AES-256 key; made, non-extractable, if the token has none.
        key_label: String,
        /// The token's user PIN.
        pin: SecretVec,
    },
}

/// What the operator must give to unseal, to be asked for or read from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretNeeded {
    /// Nothing.
    Nothing,
    /// The passphrase.
    Passphrase,
    /// The token's user PIN.
    Pin,
    /// So many shares, a line each.
    Shares(usize),
}

/// Makes (or, where a `root.key` already lies there, adopts) a root key and the seal for it.
/// The caller then calls [`SealConfig::save`].
///
/// # Errors
/// When the request cannot be met: see [`SealError`].
pub fn create(
    request: &SealRequest,
    data_directory: &Path,
    random: &dyn Random,
) -> Result<(SealConfig, RootKey), SealError> {
    let (method, root) = match request {
        SealRequest::File { path } => {
            let root = file::create_or_adopt(&data_directory.join(path), random)?;
            (SealMethod::File { path: path.clone() }, root)
        }
        SealRequest::Passphrase { passphrase, cost } => {
            let root = RootKey::generate(random)?;
            let seal = PassphraseSeal::create(passphrase, *cost, &root, random)?;
            (SealMethod::Passphrase(seal), root)
        }
        SealRequest::Pkcs11 { module, token_label, key_label, pin } => {
            let root = RootKey::generate(random)?;
            let seal = pkcs11_create((module, token_label, key_label), pin, &root, random)?;
            (SealMethod::Pkcs11(seal), root)
        }
    };
    let config = SealConfig::new(method, &root, random)?;
    Ok((config, root))
}

/// Makes a root key and the Shamir seal for it, and the shares: each is to be printed once and
/// kept by somebody else. Only then the caller calls [`SealConfig::save`]. `before` is the seal that
/// the new one replaces, if any.
///
/// # Errors
/// If the numbers are out of range, or randomness fails.
pub fn create_shared(
    shares: u8,
    threshold: u8,
    before: Option<&SealConfig>,
    random: &dyn Random,
) -> Result<(SealConfig, RootKey, Vec<SecretVec>), SealError> {
    let root = RootKey::generate(random)?;
    let before = match before.map(SealConfig::method) {
        Some(SealMethod::Shamir(seal)) => Some(seal),
        _ => None,
    };
    let (seal, shares) = ShamirSeal::create(shares, threshold, before, &root, random)?;
    Ok((SealConfig::new(SealMethod::Shamir(seal), &root, random)?, root, shares))
}

impl SealConfig {
    /// What [`Self::unseal`] needs from the operator.
    #[must_use]
    pub fn secret_needed(&self) -> SecretNeeded {
        match self.method() {
            SealMethod::File { .. } => SecretNeeded::Nothing,
            SealMethod::Passphrase(_) => SecretNeeded::Passphrase,
            SealMethod::Pkcs11(_) => SecretNeeded::Pin,
            SealMethod::Shamir(seal) => SecretNeeded::Shares(seal.threshold()),
        }
    }

    /// Obtains the root key and proves by the check value that it is the right one. Changes
    /// nothing. `secret` is the passphrase or PIN, or the shares, a line each, if
    /// [`Self::secret_needed`] asks for them.
    ///
    /// # Errors
    /// When the secret is missing or wrong, or the root key cannot be had or is another one.
    pub fn unseal(
        &self,
        data_directory: &Path,
        secret: Option<&SecretVec>,
    ) -> Result<RootKey, SealError> {
        let root = match self.method() {
            SealMethod::File { path } => file::read(&data_directory.join(path))?,
            SealMethod::Passphrase(seal) => {
                seal.unseal(secret.ok_or(SealError::SecretMissing { what: "passphrase" })?)?
            }
            SealMethod::Pkcs11(seal) => {
                pkcs11_unseal(seal, secret.ok_or(SealError::SecretMissing { what: "PIN" })?)?
            }
            SealMethod::Shamir(seal) => {
                let mut quorum = Quorum::new(seal);
                let lines = secret.map_or(&[][..], SecretVec::expose).split(|byte| *byte == b'\n');
                for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
                    quorum.add(&SecretVec::copy_from(line))?;
                }
                quorum.root()?
            }
        };
        self.verify(&root)?;
        Ok(root)
    }
}

#[cfg(feature = "pkcs11")]
use pkcs11::{create as pkcs11_create, unseal as pkcs11_unseal};

#[cfg(not(feature = "pkcs11"))]
fn pkcs11_create(
    _: (&Path, &str, &str),
    _: &SecretVec,
    _: &RootKey,
    _: &dyn Random,
) -> Result<Pkcs11Seal, SealError> {
    Err(SealError::Pkcs11NotBuilt)
}

#[cfg(not(feature = "pkcs11"))]
fn pkcs11_unseal(_: &Pkcs11Seal, _: &SecretVec) -> Result<RootKey, SealError> {
    Err(SealError::Pkcs11NotBuilt)
}

#[cfg(test)]
mod tests;
