//! Flags, `HAECHI_*` variables and the configuration file, in this order of weight: one answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use haechi_core::{AccountId, Region};
use serde::Deserialize;

use crate::Failure;
use crate::cli::{LogFormat, SealKind, SealOptions, ServeOptions, StoreKind, StoreOptions};
use crate::functions::LambdaOptions;
use crate::outbound::OutboundOptions;
use crate::peering::{PeeringOptions, RegionOptions};
use crate::quotas::QuotaOptions;
use crate::storage::{Etcd, Storage};
use crate::subscriptions::SmtpOptions;
use crate::web_identity::WebIdentityOptions;
use crate::xks::{CloudHsmOptions, XksOptions};

/// The port of the APIs.
const PORT: u16 = 4566;

/// The port of the operator.
const ADMIN_PORT: u16 = 4567;

/// The configuration file. Each value is checked as it is read, so that the error of the parser
/// shows its line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    #[serde(deserialize_with = "checked")]
    account_id: Option<AccountId>,
    #[serde(deserialize_with = "checked")]
    region: Option<Region>,
    ready_file: Option<PathBuf>,
    dev: Option<bool>,
    #[serde(deserialize_with = "checked")]
    dev_account: Option<AccountId>,
    request_quotas: Option<bool>,
    request_quota: Vec<QuotaOptions>,
    listen: FileListen,
    seal: FileSeal,
    store: FileStore,
    log: FileLog,
    web_identity: WebIdentityOptions,
    outbound: OutboundOptions,
    sns: OutboundOptions,
    smtp: Option<SmtpOptions>,
    regions: RegionOptions,
    peering: Option<PeeringOptions>,
    xks: XksOptions,
    cloudhsm: BTreeMap<String, CloudHsmOptions>,
    lambda: LambdaOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileListen {
    address: Option<SocketAddr>,
    plaintext: Option<bool>,
    #[serde(deserialize_with = "checked")]
    admin: Option<AdminListen>,
    tls_names: Vec<String>,
    node_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileSeal {
    kind: Option<SealKind>,
    passphrase_file: Option<PathBuf>,
    pkcs11_module: Option<PathBuf>,
    pkcs11_token: Option<String>,
    pkcs11_key: Option<String>,
    pkcs11_pin_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileStore {
    kind: Option<StoreKind>,
    endpoints: Vec<String>,
    prefix: Option<String>,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileLog {
    format: Option<LogFormat>,
    filter: Option<String>,
}

fn checked<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Where the operator's port is, if anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminListen {
    /// Nowhere.
    Off,
    /// At an address on loopback, because nobody is authenticated there.
    At(SocketAddr),
}

impl FromStr for AdminListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(AdminListen::Off);
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(AdminListen::At(address)),
            Ok(_) => {
                Err(format!("{text} is not on loopback: the operator's port has no authentication"))
            }
            Err(_) => Err(format!("`{text}` is not an address such as 127.0.0.1:4567, nor `off`")),
        }
    }
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
    /// By which other nodes reach this one.
    pub node_name: Option<String>,
    /// Account to serve; created at first start.
    pub account_id: Option<AccountId>,
    /// Region for clients that `exec` starts.
    pub region: Region,
    /// Where to tell that serving has begun.
    pub ready_file: Option<PathBuf>,
    /// `--dev`, with the account of unknown keys.
    pub dev: Option<AccountId>,
    /// Whether request quotas bind.
    pub request_quotas: bool,
    /// Rates other than AWS's.
    pub request_quota: Vec<QuotaOptions>,
    /// Whose tokens STS takes.
    pub web_identity: WebIdentityOptions,
    /// HTTP endpoints of topics, API destinations and hooks: two tables that say the same.
    pub outbound: [OutboundOptions; 2],
    /// The relay that mail goes to.
    pub smtp: Option<SmtpOptions>,
    /// Which Regions are served here.
    pub regions: RegionOptions,
    /// How other deployments reach this one.
    pub peering: Option<PeeringOptions>,
    /// External keys.
    pub xks: XksOptions,
    /// Tokens that stand for CloudHSM clusters.
    pub cloudhsm: BTreeMap<String, CloudHsmOptions>,
    /// How functions run.
    pub lambda: LambdaOptions,
    /// How the root key is kept.
    pub seal: SealOptions,
    /// Where the records lie, if that is said.
    pub storage: Option<Storage>,
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
        let file = options.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let dev_account = options.dev_account.or(file.dev_account);
        let dev = match (options.dev.or(file.dev).unwrap_or(false), dev_account) {
            (true, Some(account)) => Some(account),
            (true, None) => Some("000000000000".parse()?),
            (false, Some(_)) => return Err("dev-account goes with --dev".into()),
            (false, None) => None,
        };
        let data = options.data.data.or(file.data);
        let data = if dev.is_some() { data } else { Some(data.map_or_else(data_directory, Ok)?) };
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let listen = options.listen.or(file.listen.address).unwrap_or_else(|| loopback(PORT));
        if dev.is_some() && !listen.ip().is_loopback() {
            return Err(format!("--dev lets in whoever asks, so it listens on loopback only, and {listen} is not: listen on 127.0.0.1").into());
        }
        let plaintext = options.plaintext.or(file.listen.plaintext).unwrap_or(dev.is_some());
        if plaintext && !listen.ip().is_loopback() {
            return Err(format!("plain HTTP is served on loopback only, and {listen} is not: use TLS, or listen on 127.0.0.1").into());
        }
        let admin_listen = match options.admin_listen.or(file.listen.admin) {
            Some(AdminListen::At(address)) => Some(address),
            Some(AdminListen::Off) => None,
            // Several `--dev` servers run side by side.
            None => dev.is_none().then(|| loopback(ADMIN_PORT)),
        };
        Ok(Config {
            data,
            listen,
            plaintext,
            admin_listen,
            node_name: options.node_name.or(file.listen.node_name),
            tls_names: [options.tls_names, file.listen.tls_names].concat(),
            account_id: options.account_id.or(file.account_id),
            region: options.region.or(file.region).map_or_else(|| "us-east-1".parse(), Ok)?,
            ready_file: options.ready_file.or(file.ready_file),
            request_quotas: options.request_quotas.or(file.request_quotas).unwrap_or(dev.is_none()),
            request_quota: file.request_quota,
            dev,
            web_identity: file.web_identity,
            outbound: [file.outbound, file.sns],
            smtp: file.smtp,
            regions: file.regions,
            peering: file.peering,
            xks: file.xks,
            cloudhsm: file.cloudhsm,
            lambda: file.lambda,
            seal: seal(options.seal, file.seal),
            storage: storage(with_file(options.store, file.store))?,
            log_format: options.log_format.or(file.log.format).unwrap_or(LogFormat::Text),
            log: options.log.or(file.log.filter).unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn seal(options: SealOptions, file: FileSeal) -> SealOptions {
    SealOptions {
        seal: options.seal.or(file.kind),
        passphrase_file: options.passphrase_file.or(file.passphrase_file),
        pkcs11_module: options.pkcs11_module.or(file.pkcs11_module),
        pkcs11_token: options.pkcs11_token.or(file.pkcs11_token),
        pkcs11_key: options.pkcs11_key.or(file.pkcs11_key),
        pkcs11_pin_file: options.pkcs11_pin_file.or(file.pkcs11_pin_file),
    }
}

fn with_file(options: StoreOptions, file: FileStore) -> StoreOptions {
    let endpoints = options.etcd_endpoint;
    StoreOptions {
        store: options.store.or(file.kind),
        etcd_endpoint: if endpoints.is_empty() { file.endpoints } else { endpoints },
        etcd_prefix: options.etcd_prefix.or(file.prefix),
        etcd_ca: options.etcd_ca.or(file.ca),
        etcd_cert: options.etcd_cert.or(file.cert),
        etcd_key: options.etcd_key.or(file.key),
        etcd_user: options.etcd_user.or(file.user),
        etcd_password_file: options.etcd_password_file.or(file.password_file),
    }
}

/// Where the records are to lie, if that is said.
///
/// # Errors
/// If no member of etcd is named.
pub fn storage(options: StoreOptions) -> Result<Option<Storage>, Failure> {
    match options.store {
        None if options.etcd_endpoint.is_empty() => Ok(None),
        None => Err("--etcd-endpoint goes with --store etcd".into()),
        Some(StoreKind::Embedded) => Ok(Some(Storage::Embedded)),
        Some(StoreKind::Etcd) if options.etcd_endpoint.is_empty() => {
            Err("--store etcd needs --etcd-endpoint URL, of each member".into())
        }
        // Commands are run from other folders.
        Some(StoreKind::Etcd) => Ok(Some(Storage::Etcd(Etcd {
            endpoints: options.etcd_endpoint,
            prefix: options.etcd_prefix.unwrap_or_default(),
            ca: options.etcd_ca.map(std::path::absolute).transpose()?,
            certificate: options.etcd_cert.map(std::path::absolute).transpose()?,
            key: options.etcd_key.map(std::path::absolute).transpose()?,
            user: options.etcd_user,
            password_file: options.etcd_password_file.map(std::path::absolute).transpose()?,
        }))),
    }
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the configuration {}: {error}", path.display()))?;
    // The error of the parser shows the line and points at the place.
    toml::from_str(&text)
        .map_err(|error| format!("the configuration {} is wrong:\n{error}", path.display()).into())
}

/// Where the data lies when nobody says.
///
/// # Errors
/// If there is no home directory.
pub fn data_directory() -> Result<PathBuf, Failure> {
    let base =
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/share"));
    base.or_else(home)
        .map(|base| base.join("haechi"))
        .ok_or_else(|| "there is no home directory: say where the data lies with --data DIR".into())
}
