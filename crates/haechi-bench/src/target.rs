//! What is measured: where it listens, and who calls what there.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::request::Service;

/// What a server writes once it serves (`--ready-file`).
#[derive(Clone, Serialize, Deserialize)]
pub struct Ready {
    /// `https://127.0.0.1:4566`.
    pub endpoint: String,
    /// The account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The root user's access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The CA's certificate.
    pub ca_bundle: PathBuf,
}

impl Ready {
    /// `127.0.0.1:4566`.
    pub fn address(&self) -> &str {
        self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, address)| address)
    }
}

/// A prepared target.
#[derive(Clone, Serialize, Deserialize)]
pub struct Target {
    /// Where, and in which account.
    #[serde(flatten)]
    pub ready: Ready,
    /// Ids of the keys that are there.
    pub key_ids: Vec<String>,
    /// A blob that the first key encrypted, base64.
    pub ciphertext: String,
    /// Calls with keys of other kinds, if `calls` has made them.
    #[serde(default)]
    pub calls: Vec<Call>,
}

/// A call that is made again and again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Call {
    /// `Sign RSA_2048`.
    pub name: String,
    /// Whose operation it is.
    #[serde(default)]
    pub service: Service,
    /// `Sign`.
    pub operation: String,
    /// The JSON that is sent.
    pub body: String,
}

/// Reads a JSON file.
pub fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes a JSON file that only its owner can read: it holds a secret access key.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::to_writer(file, value)?)
}
