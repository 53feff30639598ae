//! The data directory (0700) and what lies in it.
//!
//! ```text
//! seal.json        how to get the root key                       (haechi-crypto)
//! root.key         the root key, with the file seal only
//! store/           the records, sealed                           (haechi-store-sqlite)
//! audit/           the audit log, sealed                         (haechi-log)
//! trails/          what trails delivered, by bucket, in the clear (haechi-cloudtrail)
//! credentials      root access key, AWS's file format, 0600
//! endpoint.json    where the server listens: for `exec` and `env`
//! functions/       code of functions, unpacked, and their logs: in the clear  (haechi-lambda)
//! ca.pem           the local CA's certificate: what clients trust
//! public-parameters.json  what the operator puts under /aws/service/, if anything
//! operator.sock    where a running server takes the operator's commands, 0600
//! ```

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;

/// A data directory.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
}

/// A data directory that this process has for itself.
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is just being forked has it open, too.
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the data directory is unlocked by closing it");
        }
    }
}

/// Where the server listens.
#[derive(Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// `https://127.0.0.1:4566`.
    pub endpoint: String,
    /// The account of the root access key.
    pub account_id: String,
    /// The default Region.
    pub region: String,
    /// Path of the CA's certificate.
    pub ca_bundle: PathBuf,
}

/// A root access key.
pub struct RootAccessKey {
    /// `AKIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Zeroizing<String>,
}

impl DataDirectory {
    /// The directory, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or others may enter it.
    pub fn open_or_create(path: &Path) -> Result<DataDirectory, Failure> {
        let named = |error: std::io::Error| format!("data directory {}: {error}", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(named)?;
        let mode = std::fs::metadata(path).map_err(named)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!(
                "data directory {0} is open to others (mode {mode:03o}): chmod 700 {0}",
                path.display()
            )
            .into());
        }
        Ok(DataDirectory { path: path.canonicalize().map_err(named)? })
    }

    /// An existing directory, for commands that do not make one.
    ///
    /// # Errors
    /// If there is none.
    pub fn existing(path: Option<PathBuf>) -> Result<DataDirectory, Failure> {
        let path = path.map_or_else(crate::config::data_directory, Ok)?;
        if !path.is_dir() {
            let text = format!(
                "there is no data directory {}: start `haechi serve` first, or name it with --data DIR",
                path.display()
            );
            return Err(text.into());
        }
        Ok(DataDirectory { path: path.canonicalize()? })
    }

    /// The parameters that the operator publishes to all accounts, if he does.
    pub fn public_parameters(&self) -> PathBuf {
        self.path.join("public-parameters.json")
    }

    /// Takes the directory for this process alone; the lock ends with it, whatever ends it.
    ///
    /// # Errors
    /// If another process has it.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let directory = File::open(&self.path)?;
        match directory.try_lock() {
            Ok(()) => Ok(Lock(directory)),
            Err(TryLockError::WouldBlock) => Err(format!(
                "{} is in use by another haechi: stop it, or choose another data directory",
                self.path.display()
            )
            .into()),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the records lie.
    pub fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Where the records lay before they moved to etcd.
    pub fn store_before(&self) -> PathBuf {
        self.path.join("store.before-migration")
    }

    /// Where the audit log lies.
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit")
    }

    /// Code of functions, unpacked, and their logs.
    pub fn functions(&self) -> PathBuf {
        self.path.join("functions")
    }

    /// Where trails deliver.
    pub fn trails(&self) -> PathBuf {
        self.path.join("trails")
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// Where a running server takes the operator's commands.
    pub fn operator_socket(&self) -> PathBuf {
        self.path.join("operator.sock")
    }

    /// The file with the root access key.
    pub fn credentials(&self) -> PathBuf {
        self.path.join("credentials")
    }

    /// Writes where the server listens.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_endpoint(&self, endpoint: &Endpoint) -> Result<(), Failure> {
        let json = serde_json::to_vec_pretty(endpoint)?;
        Ok(write_private(&self.path.join("endpoint.json"), &json)?)
    }

    /// Where the server listens, or last listened.
    ///
    /// # Errors
    /// If it has not listened yet.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        let path = self.path.join("endpoint.json");
        let json = std::fs::read(&path)
            .map_err(|error| format!("{}: {error}. Start `haechi serve` first", path.display()))?;
        Ok(serde_json::from_slice(&json)?)
    }

    /// Writes the root access key of the account served.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_credentials(&self, key: &RootAccessKey) -> Result<(), Failure> {
        write_credentials(&self.credentials(), key)
    }

    /// The root access key.
    ///
    /// # Errors
    /// If the file is missing or incomplete.
    pub fn read_credentials(&self) -> Result<RootAccessKey, Failure> {
        let path = self.credentials();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}. Start `haechi serve` first", path.display()))?;
        let text = Zeroizing::new(text);
        let value = |name: &str| {
            let line =
                text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
            line.map(str::trim).ok_or_else(|| format!("{}: {name} is missing", path.display()))
        };
        Ok(RootAccessKey {
            access_key_id: value("aws_access_key_id")?.to_owned(),
            secret_access_key: Zeroizing::new(value("aws_secret_access_key")?.to_owned()),
        })
    }
}

/// Writes an access key in the format of AWS's credentials file, 0600.
///
/// # Errors
/// If the file cannot be written.
pub fn write_credentials(path: &Path, key: &RootAccessKey) -> Result<(), Failure> {
    let text = Zeroizing::new(format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.access_key_id, *key.secret_access_key
    ));
    Ok(write_private(path, text.as_bytes())?)
}

/// Writes a file that only its owner can read, at once and durably: a reader sees the old content
/// or the new one.
///
/// # Errors
/// If a file operation fails.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    write_with_mode(path, content, 0o600)
}

/// As [`write_private`], with these permissions.
///
/// # Errors
/// If a file operation fails.
pub fn write_with_mode(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".new");
    let partial = PathBuf::from(partial);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&partial)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
