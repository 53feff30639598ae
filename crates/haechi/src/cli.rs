//! What can be typed. Help, man page and completions derive from here.

mod account;
mod iam;
mod peer;
mod render;
mod secrets;
mod store;
mod xks;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use haechi_core::{AccountId, Region};

use crate::config::AdminListen;

pub use crate::format::VERSION;
pub use account::{AccountCommand, AccountOptions};
pub use iam::{ExplainOptions, IamCommand};
pub use peer::PeerCommand;
pub use render::RenderOptions;
pub use secrets::{AttachOptions, SecretsCommand};
pub use store::{MigrateOptions, StoreKind, StoreOptions};
pub use xks::{XksCommand, XksCredentialCommand};

const EXAMPLES: &str = "\
Examples:
  haechi                                   serve on https://127.0.0.1:4566
  haechi exec -- aws kms create-key        run a client against it
  haechi serve --dev                       in memory, for tests
  haechi audit tail --follow               watch every call
  haechi services                          what it does, and what it does not";

/// The AWS security stack, for real, on your own machines.
#[derive(Debug, Parser)]
#[command(name = "haechi", version = VERSION, about, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `serve`, for the short form.
    #[command(flatten)]
    pub serve: ServeOptions,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the APIs.
    Serve(Box<ServeOptions>),
    /// Run a client with endpoint, CA, Region and root credentials set.
    #[command(after_help = "Examples:\n  haechi exec -- aws kms list-keys\n  \
        haechi exec --secrets /shop/prod -- ./server\n\nWith --secrets the program gets what they \
        hold in its environment, and nothing else: neither endpoint nor credentials.")]
    Exec(ExecOptions),
    /// Write a template with its {{resolve:ssm:…}} and {{resolve:secretsmanager:…}} filled in.
    #[command(after_help = "Example:\n  haechi render app.toml.template --output app.toml")]
    Render(RenderOptions),
    /// Print the variables that `exec` sets, for a shell to evaluate.
    #[command(after_help = "Example:\n  eval \"$(haechi env)\"\n  aws kms list-keys")]
    Env(EnvOptions),
    /// Create accounts, list them, or get a root access key of one.
    #[command(subcommand)]
    Account(AccountCommand),
    /// See how KMS keys are used.
    #[command(subcommand)]
    Kms(KmsCommand),
    /// Put users of databases under rotation.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Find out why something is allowed or denied.
    #[command(subcommand)]
    Iam(IamCommand),
    /// Let another KMS (of AWS, or haechi) use keys that stay here.
    #[command(subcommand)]
    Xks(XksCommand),
    /// Let another deployment serve other Regions.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Split the root key among people, unseal a server, see how it stands.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Read or check the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Read the log of a function.
    #[command(after_help = "Example:\n  haechi logs my-function --follow")]
    Logs(LogsOptions),
    /// Write a backup to a new file, also while haechi serves.
    #[command(after_help = "Example:\n  haechi backup haechi-2026-11-21.backup\n\nThe backup is \
        encrypted under the root key and does not hold it: keep root.key (or the passphrase, or the \
        token) apart from it.")]
    Backup(ArchiveOptions),
    /// Make a data directory of a backup.
    #[command(
        after_help = "Example:\n  haechi restore --data ./restored haechi-2026-11-21.backup\n  \
        cp /safe/root.key ./restored/root.key\n  haechi serve --data ./restored"
    )]
    Restore(ArchiveOptions),
    /// Move the records from the data directory to etcd, or back, while haechi is stopped.
    #[command(after_help = "Example:\n  haechi migrate --from embedded --to etcd \\\n    \
        --etcd-endpoint https://10.0.0.1:2379,https://10.0.0.2:2379,https://10.0.0.3:2379\n\n\
        Cut off, it goes on when it is run again. Nothing is deleted.")]
    Migrate(MigrateOptions),
    /// List the operations that are done, and those that are missing.
    Services(ServicesOptions),
    /// Write shell completions, the man page or a systemd unit.
    #[command(subcommand)]
    Generate(GenerateCommand),
}

/// Where the data lies.
#[derive(Debug, Clone, Default, Args)]
pub struct DataOptions {
    /// Data directory [default: $XDG_DATA_HOME/haechi or ~/.local/share/haechi].
    #[arg(long, value_name = "DIR", env = "HAECHI_DATA")]
    pub data: Option<PathBuf>,
}

/// Options of `serve`. Each also has a name in the configuration file.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "HAECHI_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address of the APIs [default: 127.0.0.1:4566].
    #[arg(long, value_name = "ADDRESS", env = "HAECHI_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Answer plain HTTP too, on loopback only.
    #[arg(long, env = "HAECHI_PLAINTEXT", num_args = 0..=1, default_missing_value = "true")]
    pub plaintext: Option<bool>,
    /// Address of /healthz, /readyz and /metrics [default: 127.0.0.1:4567; `off` for none].
    #[arg(long, value_name = "ADDRESS", env = "HAECHI_ADMIN_LISTEN")]
    pub admin_listen: Option<AdminListen>,
    /// Further names or addresses in the server's certificate.
    #[arg(long = "tls-name", value_name = "NAME", env = "HAECHI_TLS_NAMES", value_delimiter = ',')]
    pub tls_names: Vec<String>,
    /// By which other nodes reach this one [default: what it listens on].
    #[arg(long, value_name = "NAME", env = "HAECHI_NODE_NAME")]
    pub node_name: Option<String>,
    /// Account to create at first start [default: random].
    #[arg(long, value_name = "12 DIGITS", env = "HAECHI_ACCOUNT_ID")]
    pub account_id: Option<AccountId>,
    /// Region that `exec` sets [default: us-east-1]. All Regions are served.
    #[arg(long, value_name = "REGION", env = "HAECHI_REGION")]
    pub region: Option<Region>,
    /// Once serving, write endpoint and credentials to this file (JSON, 0600).
    #[arg(long, value_name = "FILE", env = "HAECHI_READY_FILE")]
    pub ready_file: Option<PathBuf>,
    /// For tests: in memory, plain HTTP, unknown access keys are root.
    #[arg(long, env = "HAECHI_DEV", num_args = 0..=1, default_missing_value = "true")]
    pub dev: Option<bool>,
    /// With --dev, the account of unknown access keys [default: 000000000000].
    #[arg(long, value_name = "12 DIGITS", env = "HAECHI_DEV_ACCOUNT")]
    pub dev_account: Option<AccountId>,
    /// Whether AWS's request quotas bind (ThrottlingException) [default: true; with --dev, false].
    #[arg(long, env = "HAECHI_REQUEST_QUOTAS", num_args = 0..=1, default_missing_value = "true")]
    pub request_quotas: Option<bool>,
    #[command(flatten)]
    pub seal: SealOptions,
    #[command(flatten)]
    pub store: StoreOptions,
    /// Format of the log on standard error [default: text].
    #[arg(long, value_name = "FORMAT", env = "HAECHI_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to log, e.g. `info` or `haechi_gateway=debug` [default: info].
    #[arg(long, value_name = "FILTER", env = "HAECHI_LOG")]
    pub log: Option<String>,
}

/// How the root key is kept.
#[derive(Debug, Clone, Default, Args)]
pub struct SealOptions {
    /// How a new data directory keeps its root key [default: file].
    #[arg(long, value_name = "KIND", env = "HAECHI_SEAL")]
    pub seal: Option<SealKind>,
    /// File with the passphrase; else HAECHI_PASSPHRASE holds it.
    #[arg(long, value_name = "FILE", env = "HAECHI_PASSPHRASE_FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// PKCS#11 library of the token.
    #[arg(long, value_name = "FILE", env = "HAECHI_PKCS11_MODULE")]
    pub pkcs11_module: Option<PathBuf>,
    /// Label of the token.
    #[arg(long, value_name = "LABEL", env = "HAECHI_PKCS11_TOKEN")]
    pub pkcs11_token: Option<String>,
    /// Label of the AES key in the token; made if it is not there [default: haechi-root].
    #[arg(long, value_name = "LABEL", env = "HAECHI_PKCS11_KEY")]
    pub pkcs11_key: Option<String>,
    /// File with the token's PIN; else HAECHI_PKCS11_PIN holds it.
    #[arg(long, value_name = "FILE", env = "HAECHI_PKCS11_PIN_FILE")]
    pub pkcs11_pin_file: Option<PathBuf>,
}

/// A kind of seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SealKind {
    /// In a file, readable by its owner.
    File,
    /// Wrapped under a passphrase.
    Passphrase,
    /// Wrapped by a PKCS#11 token.
    Pkcs11,
    /// Wrapped under a key that is split among people.
    Shamir,
}

/// A format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Options of `exec`.
#[derive(Debug, Args)]
pub struct ExecOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Region to set instead of the default.
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    /// Set variables instead: the parameters under a path (`/shop/prod/db/host` is DB_HOST under
    /// /shop/prod), or the members of a secret.
    #[arg(long, value_name = "PATH OR SECRET")]
    pub secrets: Vec<String>,
    /// Take NAME from there although it decides which code the program runs, as LD_PRELOAD does.
    #[arg(long, value_name = "NAME", requires = "secrets")]
    pub allow: Vec<String>,
    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub command: Vec<std::ffi::OsString>,
}

/// Options of `env`.
#[derive(Debug, Args)]
pub struct EnvOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Region to set instead of the default.
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    /// As a JSON object instead of shell exports.
    #[arg(long)]
    pub json: bool,
}

/// What to do with KMS.
#[derive(Debug, Subcommand)]
pub enum KmsCommand {
    /// Show how often each key was used, and when last.
    #[command(after_help = "Example:\n  haechi kms usage --json | jq .accounts")]
    Usage {
        #[command(flatten)]
        options: AccountOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What the operator does with a server.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Make a data directory whose root key is split among people.
    #[command(after_help = INIT_HELP)]
    Init {
        #[command(flatten)]
        data: DataOptions,
        /// How many people get a share.
        #[arg(long, value_name = "N")]
        shares: u8,
        /// How many of them it takes to start haechi.
        #[arg(long, value_name = "K")]
        threshold: u8,
    },
    /// Tell whether the server is sealed, and what it takes to unseal it.
    Status {
        #[command(flatten)]
        data: DataOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the nodes over the store: address, version, whether sealed, lag, duties.
    Nodes {
        #[command(flatten)]
        data: DataOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a share to a sealed server: typed in, or on standard input.
    #[command(
        after_help = "Example:\n  haechi operator unseal\n\nThe share is never an argument: \
        others can see those."
    )]
    Unseal {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Have a server drop its keys: it must be unsealed to serve again.
    Seal {
        #[command(flatten)]
        data: DataOptions,
    },
    /// Change the root key, and perhaps how it is kept, also while haechi serves.
    #[command(after_help = REKEY_HELP)]
    Rekey {
        #[command(flatten)]
        options: AccountOptions,
        /// With --seal shamir: how many people get a share [default: as many as now].
        #[arg(long, value_name = "N")]
        shares: Option<u8>,
        /// With --seal shamir: how many of them it takes [default: as many as now].
        #[arg(long, value_name = "K")]
        threshold: Option<u8>,
        /// File with the new passphrase or PIN; else HAECHI_NEW_SECRET holds it, or it is typed.
        #[arg(long, value_name = "FILE", env = "HAECHI_NEW_SECRET_FILE")]
        new_secret_file: Option<PathBuf>,
        /// Go over to another node's new root key: DIR holds its seal.json, and its key file.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["shares", "threshold", "finish"])]
        adopt: Option<PathBuf>,
        /// End a change without the nodes that are stopped or lost: they need this seal.json then.
        #[arg(long, conflicts_with_all = ["shares", "threshold"])]
        finish: bool,
    },
}

const REKEY_HELP: &str = "\
Examples:
  haechi operator rekey                      a new root key, kept as before
  haechi operator rekey --seal shamir --shares 5 --threshold 3
  haechi operator rekey --seal pkcs11 --pkcs11-module LIB --pkcs11-token LABEL
  haechi operator rekey --adopt DIR          on each other node, with what was copied from the first

--seal and --pkcs11-* say how the new root key is kept. --passphrase-file and --pkcs11-pin-file open
the old one, where no server runs. Backups made before need the old root key: keep it with them.";

const INIT_HELP: &str = "\
Example:
  haechi operator init --shares 5 --threshold 3
  haechi serve                     starts sealed
  haechi operator unseal           three people, each with a share

Fewer than the threshold know nothing. If so many shares are lost that the threshold cannot be
reached, nothing stored can ever be read again, by anybody.";

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show the newest records.
    #[command(after_help = "Example:\n  haechi audit tail --lines 50 --follow")]
    Tail(AuditTailOptions),
    /// Check that no record, and nothing that trails delivered, was changed, removed or reordered.
    Verify(AuditVerifyOptions),
}

/// Options of `audit tail`.
#[derive(Debug, Args)]
pub struct AuditTailOptions {
    #[command(flatten)]
    pub data: DataOptions,
    #[command(flatten)]
    pub secrets: SealOptions,
    /// Records to show at first.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub lines: usize,
    /// Go on as records are written.
    #[arg(long, short)]
    pub follow: bool,
    /// Whole CloudTrail records, one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct LogsOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// The function's name.
    #[arg(value_name = "FUNCTION")]
    pub function: String,
    /// Its Region [default: that of the server].
    #[arg(long, value_name = "REGION", env = "HAECHI_REGION")]
    pub region: Option<Region>,
    /// Its account [default: that of the credentials file].
    #[arg(long, value_name = "12 DIGITS", env = "HAECHI_ACCOUNT_ID")]
    pub account_id: Option<AccountId>,
    /// Go on as it is written.
    #[arg(long, short)]
    pub follow: bool,
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyOptions {
    #[command(flatten)]
    pub data: DataOptions,
    #[command(flatten)]
    pub secrets: SealOptions,
    /// As a JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Options of `backup` and `restore`.
#[derive(Debug, Args)]
pub struct ArchiveOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// The backup file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of `services`.
#[derive(Debug, Args)]
pub struct ServicesOptions {
    /// Only this service.
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// As a JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What to generate.
#[derive(Debug, Subcommand)]
pub enum GenerateCommand {
    /// Completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The man page.
    Man,
    /// A systemd unit.
    Systemd,
}
