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

The password is the first line of standard input. With --master, the ARN of a secret of a superuser
of the same server, two users take turns, and no login fails at any moment.";

/// Options of `secrets attach`.
#[derive(Debug, Args)]
pub struct AttachOptions {
    /// What serves: postgres, mysql, mariadb, redis.
    #[arg(value_parser = ["postgres", "mysql", "mariadb", "redis"])]
    pub engine: String,
    /// Name of the secret that is made.
    pub name: String,
    /// Where it is reached, from this server.
    #[arg(long)]
    pub host: String,
    /// Its port, if it is not the usual one.
    #[arg(long)]
    pub port: Option<u16>,
    /// The database.
    #[arg(long)]
    pub database: Option<String>,
    /// The user.
    #[arg(long)]
    pub user: String,
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
