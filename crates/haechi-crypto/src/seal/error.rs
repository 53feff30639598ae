//! Why a root key cannot be had, each with what to do next.

use std::path::PathBuf;

use super::InstallationId;
use crate::CryptoError;

/// A seal that cannot be made, read or opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The root key file is gone.
    #[error(
        "{} does not exist; put the root key back there (without it nothing stored can be read)",
        path.display()
    )]
    RootKeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others may read or write a file that holds a secret.
    #[error(
        "{} has permissions {mode:04o}, so others can reach it; run: chmod 600 {}",
        path.display(),
        path.display()
    )]
    LoosePermissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not a root key.
    #[error(
        "{} is not a root key (64 hexadecimal digits); put the right file there",
        path.display()
    )]
    RootKeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// `seal.json` cannot be understood.
    #[error("{} is not a seal that this haechi knows: {reason}; restore it from a backup", path.display())]
    ConfigMalformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The root key is not the one that this data directory was made with.
    #[error(
        "the root key is not the one of this data directory; nothing was touched; use the root \
         key that it was made with"
    )]
    WrongRootKey,
    /// A passphrase or PIN is needed and was not given.
    #[error("the seal needs its {what}; give it in a file or an environment variable")]
    SecretMissing {
        /// `passphrase` or `PIN`.
        what: &'static str,
    },
    /// The passphrase does not unwrap the root key.
    #[error("the passphrase is wrong, or seal.json was changed; nothing was touched; try again")]
    WrongPassphrase,
    /// A new passphrase is too short.
    #[error("the passphrase has {length} bytes; choose one of at least {minimum}")]
    PassphraseTooShort {
        /// Bytes given.
        length: usize,
        /// Bytes needed.
        minimum: usize,
    },
    /// Argon2id parameters outside the accepted range.
    #[error(
        "Argon2id with {memory_kib} KiB, {passes} passes, {lanes} lanes is outside the accepted \
         range (65536..=4194304 KiB, 3..=64, 1..=16)"
    )]
    CostOutOfRange {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Parallel lanes.
        lanes: u32,
    },
    /// The epoch may only grow.
    #[error("the seal's epoch is {current}; it cannot go back to {requested}")]
    EpochBackwards {
        /// Epoch of the seal.
        current: u32,
        /// Epoch asked for.
        requested: u32,
    },
    /// This build has no PKCS#11.
    #[error("this haechi was built without PKCS#11; build it with the feature `pkcs11`")]
    Pkcs11NotBuilt,
    /// The vendor's library cannot be used.
    #[error("cannot use the PKCS#11 library {}: {reason}; check its path and configuration", module.display())]
    Pkcs11Module {
        /// Path of the library.
        module: PathBuf,
        /// Its answer.
        reason: String,
    },
    /// No token of that label.
    #[error(
        "the PKCS#11 library shows no token labelled {label:?} (it shows: {found}); check the label and that the token is connected"
    )]
    TokenNotFound {
        /// The label looked for.
        label: String,
        /// The labels present.
        found: String,
    },
    /// More than one token of that label.
    #[error("{count} tokens are labelled {label:?}; give each a label of its own")]
    TokenAmbiguous {
        /// The label.
        label: String,
        /// How many there are.
        count: usize,
    },
    /// The token does not take the PIN.
    #[error(
        "the token refuses the PIN ({reason}); check it before trying again: a token locks after a few wrong PINs"
    )]
    WrongPin {
        /// Its answer.
        reason: String,
    },
    /// The wrapping key is gone from the token, or there are several.
    #[error(
        "the token has {count} AES keys labelled {label:?}, needs exactly one; restore the token's key from its backup"
    )]
    TokenKey {
        /// The label.
        label: String,
        /// How many there are.
        count: usize,
    },
    /// The wrapping key could leave the token.
    #[error(
        "the token's key labelled {label:?} is extractable or not sensitive; choose another key \
         label, and haechi makes a key that cannot leave the token"
    )]
    TokenKeyExtractable {
        /// The label.
        label: String,
    },
    /// The token did not do what was asked.
    #[error("the token failed to {action}: {reason}")]
    Token {
        /// What was asked.
        action: &'static str,
        /// Its answer.
        reason: String,
    },
    /// Numbers of shares that share nothing, or too much.
    #[error(
        "{shares} shares with a threshold of {threshold}: choose 2 to 32 shares, and a threshold from 2 to their number"
    )]
    SharesOutOfRange {
        /// Shares asked for.
        shares: u8,
        /// Threshold asked for.
        threshold: u8,
    },
    /// Not the beginning of a share.
    #[error("that is no share: a share begins with haechi1-")]
    NoShare,
    /// The checksum does not match.
    #[error("the share is mistyped: its checksum does not match; compare it with the paper")]
    ShareMistyped,
    /// The share is of another data directory.
    #[error("the share is of installation {found}, and this is {expected}; give one of this")]
    ShareOfAnotherInstallation {
        /// The share's.
        found: InstallationId,
        /// The seal's.
        expected: InstallationId,
    },
    /// The share is from before or after a rekey.
    #[error(
        "the share is of set {found}, and the root key is split in set {expected}; give a share that was printed with that set"
    )]
    ShareOfAnotherSet {
        /// The share's.
        found: u32,
        /// The seal's.
        expected: u32,
    },
    /// The share was given already.
    #[error("share {index} was given already; give another one")]
    ShareRepeated {
        /// Its number.
        index: u8,
    },
    /// The share was forged, or the seal changed.
    #[error(
        "share {index} is not one that was made for this seal, though it is well formed; it was not taken"
    )]
    WrongShare {
        /// The number that it claims.
        index: u8,
    },
    /// Not enough shares.
    #[error(
        "{given} of the {threshold} shares needed were given; the root key stays sealed, and nothing was touched"
    )]
    SharesMissing {
        /// Shares given.
        given: usize,
        /// Shares needed.
        threshold: usize,
    },
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
