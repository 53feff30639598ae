//! Flags, `HAECHI_*` variables and the configuration file, in this order of weight: one answer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use haechi_core::{AccountId, Region};
use serde::Deserialize;

use crate::Failure;
use crate::cli::{LogFormat, SealOptions, ServeOptions};

/// The port of the APIs.
const PORT: u16 = 4566;

/// The port of the operator.
const ADMIN_PORT: u16 = 4567;

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    account_id: Option<String>,
    region: Option<String>,
    dev: Option<bool>,
    dev_account: Option<String>,
    listen: FileListen,
    log: FileLog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileListen {
    address: Option<SocketAddr>,
    plaintext: Option<bool>,
    admin: Option<String>,
    tls_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileLog {
    format: Option<LogFormat>,
    filter: Option<String>,
}

/// What `serve` goes by.
#[derive(Debug)]
pub struct Config {
    /// The data directory; `None` is memory.
    pub data: Option<PathBuf>,
    /// Address of the APIs.
    pub listen: SocketAddr,
    /// Whether plain HTTP is answered.
    pub plaintext: bool,
    /// Address of the operator's port.
    pub admin_listen: Option<SocketAddr>,
    /// Further names in the certificate.
    pub tls_names: Vec<String>,
    /// Account to create at first start.
    pub account_id: Option<AccountId>,
    /// Region for clients that `exec` starts.
    pub region: Region,
    /// Where to tell that serving has begun.
    pub ready_file: Option<PathBuf>,
    /// `--dev`, with the account of unknown keys.
    pub dev: Option<AccountId>,
    /// How the root key is kept.
    pub seal: SealOptions,
    /// Format of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
}

impl Config {
    /// Puts everything together.
    ///
    /// # Errors
    /// If the file cannot be read, or a value is not valid; the message names it.
    pub fn new(options: ServeOptions) -> Result<Config, Failure> {
        let file = match &options.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let dev_account = options.dev_account.or(file.dev_account);
        let dev = options.dev.or(file.dev).unwrap_or(false);
        let dev = match (dev, dev_account) {
            (true, account) => Some(self::account(&account.unwrap_or_else(|| "0".repeat(12)))?),
            (false, Some(_)) => return Err("dev-account goes with --dev".into()),
            (false, None) => None,
        };
        let data = options.data.data.or(file.data);
        let data = if dev.is_some() { data } else { Some(data.map_or_else(data_directory, Ok)?) };
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let region = options.region.or(file.region).unwrap_or_else(|| "us-east-1".to_owned());
        let account_id = options.account_id.or(file.account_id);
        Ok(Config {
            data,
            listen: options.listen.or(file.listen.address).unwrap_or_else(|| loopback(PORT)),
            plaintext: options
                .plaintext
                .or(file.listen.plaintext)
                .unwrap_or(dev.is_some()),
            admin_listen: admin(options.admin_listen.or(file.listen.admin), dev.is_some())?
                .unwrap_or_else(|| Some(loopback(ADMIN_PORT))),
            tls_names: [options.tls_names, file.listen.tls_names].concat(),
            account_id: account_id.as_deref().map(account).transpose()?.or_else(|| dev.clone()),
            region: Region::parse(&region)
                .ok_or_else(|| format!("`{region}` is not the name of a Region, such as us-east-1"))?,
            ready_file: options.ready_file,
            dev,
            seal: options.seal,
            log_format: options.log_format.or(file.log.format).unwrap_or(LogFormat::Text),
            log: options.log.or(file.log.filter).unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))?;
    // The error of the parser shows the line and points at the place.
    toml::from_str(&text)
        .map_err(|error| format!("the configuration {} is wrong:\n{error}", path.display()).into())
}

fn account(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).ok_or_else(|| format!("`{text}` is not an account id: 12 digits").into())
}

/// `Ok(None)`: nothing was said. With `--dev` nothing said means none, as several run side by side.
#[expect(clippy::option_option, reason = "nothing said, none wanted, and an address differ")]
fn admin(text: Option<String>, dev: bool) -> Result<Option<Option<SocketAddr>>, Failure> {
    let Some(text) = text else { return Ok(dev.then_some(None)) };
    if text == "off" {
        return Ok(Some(None));
    }
    let address: SocketAddr = text
        .parse()
        .map_err(|_| format!("`{text}` is not an address such as 127.0.0.1:4567, nor `off`"))?;
    if !address.ip().is_loopback() {
        return Err(format!("{address} is not on loopback: the operator's port has no authentication").into());
    }
    Ok(Some(Some(address)))
}

/// Where the data lies when nobody says.
///
/// # Errors
/// If there is no home directory.
pub fn data_directory() -> Result<PathBuf, Failure> {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/share"));
    base.or_else(home)
        .map(|base| base.join("haechi"))
        .ok_or_else(|| "there is no home directory: say where the data lies with --data DIR".into())
}
