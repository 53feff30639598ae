//! The token of an import: the RSA key that the material is wrapped under, sealed, with what it was
//! made for. Nothing is stored until the material comes, and then only that the token was used.
//!
//! ```text
//! offset  length  field
//!      0       1  version: 01
//!      1      16  id
//!     17       8  valid until, milliseconds since the epoch, big-endian
//!     25       1  index of the wrapping algorithm in `WrappingAlgorithm::ALL`
//!     26       …  the wrapping key, sealed; bound to all before it, and to the key's ARN
//! ```

use haechi_core::Env;
use haechi_core::database::Unknown;
use haechi_crypto::{Keyring, WrappingAlgorithm, WrappingKey};
use haechi_kms_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a token lasts.
const VALID_SECONDS: i64 = 24 * 60 * 60;
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 26;

/// A token that was used, kept until it would have expired.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UsedToken {
    pub(crate) id: [u8; 16],
    pub(crate) valid_to_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A token that was taken apart.
pub(crate) struct ImportToken {
    pub(crate) used: UsedToken,
    pub(crate) algorithm: WrappingAlgorithm,
    pub(crate) key: WrappingKey,
}

/// A new token, and until when it is valid.
pub(crate) fn seal(
    env: &Env,
    keyring: &Keyring,
    key_arn: &str,
    algorithm: WrappingAlgorithm,
    key: &WrappingKey,
    now: Timestamp,
) -> Result<(Vec<u8>, Timestamp), Fault> {
    let valid_to = now.plus_seconds(VALID_SECONDS);
    let mut id = [0; 16];
    env.random.fill(&mut id).map_err(Fault::internal)?;
    let index = WrappingAlgorithm::ALL.iter().position(|one| *one == algorithm);
    let index = index.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX);
    let mut token = Vec::with_capacity(HEADER_BYTES + 2560);
    token.push(VERSION);
    token.extend(id);
    token.extend(valid_to.millis().to_be_bytes());
    token.push(index);
    let binding = [token.as_slice(), key_arn.as_bytes()].concat();
    let sealed = key.wrap(keyring, &binding, &*env.random).map_err(Fault::internal)?;
    token.extend(sealed);
    Ok((token, valid_to))
}

/// Opens the token of a key.
pub(crate) fn open(
    keyring: &Keyring,
    key_arn: &str,
    token: &[u8],
    now: Timestamp,
) -> Result<ImportToken, Error> {
    let parsed = parse(token).ok_or_else(invalid)?;
    let (header, sealed, id, valid_to_ms, algorithm) = parsed;
    let binding = [header, key_arn.as_bytes()].concat();
    let key = WrappingKey::unwrap(keyring, &binding, sealed).map_err(|_| invalid())?;
    // Only now is the date known to be ours.
    if valid_to_ms <= now.millis() {
        return Err(Error::ExpiredImportTokenException(String::new()));
    }
    let used = UsedToken { id, valid_to_ms, unknown: Unknown::new() };
    Ok(ImportToken { used, algorithm, key })
}

/// What is no token of this key, or was used.
pub(crate) fn invalid() -> Error {
    Error::InvalidImportTokenException(String::new())
}

type Parts<'a> = (&'a [u8], &'a [u8], [u8; 16], i64, WrappingAlgorithm);

fn parse(token: &[u8]) -> Option<Parts<'_>> {
    let (header, sealed) = token.split_at_checked(HEADER_BYTES)?;
    let (version, rest) = header.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let (valid_to, rest) = rest.split_first_chunk::<8>()?;
    let algorithm = WrappingAlgorithm::ALL.get(usize::from(*rest.first()?))?;
    if *version != VERSION {
        return None;
    }
    Some((header, sealed, *id, i64::from_be_bytes(*valid_to), *algorithm))
}
