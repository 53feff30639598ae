//! Where the records lie, and how they move.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DataOptions;

/// Where the records lie.
#[derive(Debug, Clone, Default, Args)]
pub struct StoreOptions {
    /// Where a new data directory has its records [default: embedded].
    #[arg(long, value_name = "KIND", env = "HAECHI_STORE")]
    pub store: Option<StoreKind>,
    /// Client URL of a member of etcd; all members, one by one or with commas between.
    #[arg(long, value_name = "URL", env = "HAECHI_ETCD_ENDPOINTS", value_delimiter = ',')]
    pub etcd_endpoint: Vec<String>,
    /// What the records' keys in etcd begin with [default: haechi].
    #[arg(long, value_name = "PREFIX", env = "HAECHI_ETCD_PREFIX")]
    pub etcd_prefix: Option<String>,
    /// File with the CA of etcd's certificates (PEM).
    #[arg(long, value_name = "FILE", env = "HAECHI_ETCD_CA")]
    pub etcd_ca: Option<PathBuf>,
    /// File with our certificate for etcd (PEM).
    #[arg(long, value_name = "FILE", env = "HAECHI_ETCD_CERT")]
    pub etcd_cert: Option<PathBuf>,
    /// File with its private key (PEM).
    #[arg(long, value_name = "FILE", env = "HAECHI_ETCD_KEY")]
    pub etcd_key: Option<PathBuf>,
    /// Our name, where etcd's authentication is on.
    #[arg(long, value_name = "NAME", env = "HAECHI_ETCD_USER")]
    pub etcd_user: Option<String>,
    /// File with the password.
    #[arg(long, value_name = "FILE", env = "HAECHI_ETCD_PASSWORD_FILE")]
    pub etcd_password_file: Option<PathBuf>,
}

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// In the data directory: one server.
    Embedded,
    /// In etcd: as many servers as wanted.
    Etcd,
}

/// Options of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Where the records lie.
    #[arg(long, value_name = "KIND")]
    pub from: StoreKind,
    /// Where they are to lie.
    #[arg(long, value_name = "KIND")]
    pub to: StoreKind,
    #[command(flatten)]
    pub store: StoreOptions,
}
