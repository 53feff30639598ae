//! The seal of a data directory, and the root key behind it.

use haechi_crypto::seal::{Argon2idCost, SecretNeeded, read_secret_file};
use haechi_crypto::{Random, RootKey, SealConfig, SealRequest, SecretVec, seal};

use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{SealKind, SealOptions};
use crate::data::DataDirectory;
use crate::terminal;

/// Bytes of a line with a share, at most.
const SHARE_LINE_BYTES_MAX: usize = 200;

/// The seal of a data directory; `None` before its first start.
///
/// # Errors
/// If it cannot be read, or is lost.
pub fn load_seal(data: &DataDirectory) -> Result<Option<SealConfig>, Failure> {
    let seal = SealConfig::load(data.path())?;
    // A store without its seal is a loss that a new seal would hide.
    if seal.is_none() && data.store().exists() {
        let path = data.path().display();
        return Err(format!(
            "{path} has no seal.json, so its root key cannot be found: restore seal.json from a backup"
        )
        .into());
    }
    Ok(seal)
}

/// The seal and the root key of a data directory; with `create`, a new one gets a seal first.
/// Nothing is changed if the root key is wrong.
///
/// # Errors
/// If the root key cannot be had, or is not the one that the directory was made with.
pub fn unseal(
    data: &DataDirectory,
    options: &SealOptions,
    create: bool,
    random: &dyn Random,
) -> Result<(SealConfig, RootKey), Failure> {
    if let Some(config) = load_seal(data)? {
        let secret = match config.secret_needed() {
            SecretNeeded::Nothing => None,
            SecretNeeded::Passphrase => Some(passphrase(options)?),
            SecretNeeded::Pin => Some(pin(options)?),
            SecretNeeded::Shares(threshold) => Some(shares(threshold)?),
        };
        let root = config.unseal(data.path(), secret.as_ref())?;
        return Ok((config, root));
    }
    if !create {
        let path = data.path().display();
        return Err(format!("{path} is no data directory of haechi: it has no seal.json").into());
    }
    let (config, root) = seal::create(&request(options)?, data.path(), random)?;
    config.save(data.path())?;
    Ok((config, root))
}

fn request(options: &SealOptions) -> Result<SealRequest, Failure> {
    Ok(match options.seal.unwrap_or(SealKind::File) {
        SealKind::File => SealRequest::File { path: seal::ROOT_KEY_FILE_NAME.into() },
        SealKind::Passphrase => SealRequest::Passphrase {
            passphrase: passphrase(options)?,
            cost: Argon2idCost::default(),
        },
        SealKind::Shamir => {
            return Err("a root key is split among people before the first start: \
                        haechi operator init --shares N --threshold K"
                .into());
        }
        SealKind::Pkcs11 => SealRequest::Pkcs11 {
            module: options
                .pkcs11_module
                .clone()
                .ok_or("--seal pkcs11 needs --pkcs11-module FILE")?,
            token_label: options
                .pkcs11_token
                .clone()
                .ok_or("--seal pkcs11 needs --pkcs11-token LABEL")?,
            key_label: options.pkcs11_key.clone().unwrap_or_else(|| "haechi-root".to_owned()),
            pin: pin(options)?,
        },
    })
}

/// Shares, a line each, from the terminal or standard input.
///
/// # Errors
/// If they cannot be read.
pub fn shares(threshold: usize) -> Result<SecretVec, Failure> {
    let mut lines = Zeroizing::new(Vec::with_capacity(threshold * SHARE_LINE_BYTES_MAX));
    for number in 1..=threshold {
        let share = terminal::secret_line(&format!("Share {number} of {threshold}"))?;
        if share.len() >= SHARE_LINE_BYTES_MAX {
            return Err("that is no share: it is too long".into());
        }
        lines.extend_from_slice(share.expose());
        lines.push(b'\n');
    }
    Ok(SecretVec::copy_from(&lines))
}

fn passphrase(options: &SealOptions) -> Result<SecretVec, Failure> {
    secret(options.passphrase_file.as_deref(), "HAECHI_PASSPHRASE", "--passphrase-file FILE")
}

fn pin(options: &SealOptions) -> Result<SecretVec, Failure> {
    secret(options.pkcs11_pin_file.as_deref(), "HAECHI_PKCS11_PIN", "--pkcs11-pin-file FILE")
}

/// A secret from a file, else from a variable. Never from a flag: others can see those.
fn secret(
    file: Option<&std::path::Path>,
    variable: &str,
    flag: &str,
) -> Result<SecretVec, Failure> {
    if let Some(path) = file {
        return Ok(read_secret_file(path)?);
    }
    let value = std::env::var(variable)
        .map_err(|_| format!("the root key is sealed: give {flag}, or set {variable}"))?;
    let value = Zeroizing::new(value);
    Ok(SecretVec::copy_from(value.as_bytes()))
}
