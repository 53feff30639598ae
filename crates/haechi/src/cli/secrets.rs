//! Options of `haechi secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use haechi_core::{AccountId, Region};

use super::AccountOptions;

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Make a secret of a user of a server, and rotate its password from now on, without a function.
    #[command(after_help = ATTACH_EXAMPLES)]
    Attach(Box<AttachOptions>),
}

const ATTACH_EXAMPLES: &str = "\
Examples:
  haechi secrets attach postgres shop/db --host db.internal --database shop --user app < password
  haechi secrets attach mariadb shop/db --host db.internal --user app --master arn:aws:… \\
      --every 'cron(0 3 1 * ? *)' < password
  haechi secrets attach http shop/api --url https://hooks.internal/rotate --key-file hook.key \\
      < password

The password is the first line of standard input. With --master, the ARN of a secret of a superuser
of the same server, two users take turns, and no login fails at any moment.";

/// What is reached by host and user.
const SERVERS: [(&str, &str); 4] =
    [("engine", "postgres"), ("engine", "mysql"), ("engine", "mariadb"), ("engine", "redis")];

/// What a hook has no use for.
const NOT_OF_HOOKS: [&str; 6] = ["host", "port", "database", "tls", "tls_ca", "master"];

/// Options of `secrets attach`.
#[derive(Debug, Args)]
pub struct AttachOptions {
    /// What serves: postgres, mysql, mariadb, redis; or http, a hook that makes anything else take
    /// the password.
    #[arg(value_parser = ["postgres", "mysql", "mariadb", "redis", "http"])]
    pub engine: String,
    /// Name of the secret that is made.
    pub name: String,
    /// Where it is reached, from this server.
    #[arg(long, required_if_eq_any = SERVERS)]
    pub host: Option<String>,
    /// Its port, if it is not the usual one.
    #[arg(long)]
    pub port: Option<u16>,
    /// The database.
    #[arg(long)]
    pub database: Option<String>,
    /// The user.
    #[arg(long, required_if_eq_any = SERVERS)]
    pub user: Option<String>,
    /// Of http: the hook, an https URL.
    #[arg(long, required_if_eq("engine", "http"), conflicts_with_all = NOT_OF_HOOKS)]
    pub url: Option<String>,
    /// Of http: a file with the key that signs what the hook is told, 32 characters or more.
    #[arg(long, required_if_eq("engine", "http"), requires = "url")]
    pub key_file: Option<PathBuf>,
    /// Speak TLS to it, and verify its certificate.
    #[arg(long)]
    pub tls: bool,
    /// Authorities of its certificate, a PEM file, where they are not the machine's.
    #[arg(long)]
    pub tls_ca: Option<PathBuf>,
    /// ARN of a secret of a superuser: two users take turns.
    #[arg(long)]
    pub master: Option<String>,
    /// When it is rotated.
    #[arg(long, default_value = "rate(30 days)")]
    pub every: String,
    /// Account, if there are several.
    #[arg(long)]
    pub account: Option<AccountId>,
    /// Region, if it is not the server's own.
    #[arg(long)]
    pub region: Option<Region>,
    #[command(flatten)]
    pub options: AccountOptions,
}
