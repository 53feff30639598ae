//! The file seal, and careful handling of files that hold secrets.
//!
//! `root.key` is 64 hexadecimal digits and a newline: it can be printed, typed and compared.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::SealError;
use crate::{Random, RootKey, SecretVec};

/// Name of the root key's file in the data directory.
pub const ROOT_KEY_FILE_NAME: &str = "root.key";

const FILE_BYTES_MAX: u64 = 64 * 1024;
const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Makes the file with a new root key. An existing root key is adopted: a first start that was
/// interrupted, or a key that the operator brought. If it is the wrong one the keyring refuses it.
pub(super) fn create_or_adopt(path: &Path, random: &dyn Random) -> Result<RootKey, SealError> {
    match read(path) {
        Err(SealError::RootKeyMissing { .. }) => {}
        found => return found,
    }
    let root = RootKey::generate(random)?;
    write_durably(path, encode(&root).expose())?;
    Ok(root)
}

/// Reads the root key; refuses a file that others can reach.
pub(super) fn read(path: &Path) -> Result<RootKey, SealError> {
    let missing = || SealError::RootKeyMissing { path: path.to_owned() };
    refuse_loose_permissions(path, missing)?;
    let content = read_limited(path)?.ok_or_else(missing)?;
    let malformed = || SealError::RootKeyMalformed { path: path.to_owned() };
    let bytes = decode(content.expose().trim_ascii()).ok_or_else(malformed)?;
    RootKey::copy_from(bytes.expose()).ok_or_else(malformed)
}

/// Reads a passphrase or PIN from a file that only its owner can reach; one final newline (with or
/// without carriage return) is not part of it.
///
/// # Errors
/// When the file is missing, too long, or readable by others.
pub fn read_secret_file(path: &Path) -> Result<SecretVec, SealError> {
    let missing = || io_error("read", path, ErrorKind::NotFound.into());
    refuse_loose_permissions(path, missing)?;
    let content = read_limited(path)?.ok_or_else(missing)?;
    let bytes = content.expose();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Ok(SecretVec::copy_from(bytes.strip_suffix(b"\r").unwrap_or(bytes)))
}

/// The whole file, at most 64 KiB; `None` if there is none.
pub(super) fn read_limited(path: &Path) -> Result<Option<SecretVec>, SealError> {
    let failed = |source| io_error("read", path, source);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(failed(ErrorKind::FileTooLarge.into()));
    }
    // Read into the final buffer: a growing vector would leave unwiped copies.
    let mut content = SecretVec::zero(usize::try_from(length).unwrap_or_default());
    (&file).read_exact(content.expose_mut()).map_err(failed)?;
    Ok(Some(content))
}

/// Writes a 0600 file that is there entirely, and after power loss too, or not at all.
pub(super) fn write_durably(path: &Path, content: &[u8]) -> Result<(), SealError> {
    let failed = |source| io_error("write", path, source);
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        // A left-over of an interrupted write keeps the permissions that it had.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    })();
    written.map_err(failed)
}

fn refuse_loose_permissions(path: &Path, missing: impl Fn() -> SealError) -> Result<(), SealError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(),
        _ => io_error("read", path, error),
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SealError::LoosePermissions { path: path.to_owned(), mode });
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path, source: std::io::Error) -> SealError {
    SealError::Io { action, path: path.to_owned(), source }
}

fn encode(root: &RootKey) -> SecretVec {
    let mut text = SecretVec::zero(2 * root.expose().len() + 1);
    let digits = root.expose().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.map(|digit| HEX_DIGITS.get(usize::from(digit)).copied().unwrap_or(b'?'));
    for (to, digit) in text.expose_mut().iter_mut().zip(digits.chain([b'\n'])) {
        *to = digit;
    }
    text
}

fn decode(text: &[u8]) -> Option<SecretVec> {
    let mut bytes = SecretVec::zero(text.len() / 2);
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    for (to, [high, low]) in bytes.expose_mut().iter_mut().zip(pairs) {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *to = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
