//! What can be typed after `haechi account`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DataOptions, SealOptions};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Create an account that is in no organization, with a root access key.
    #[command(after_help = "Example:\n  haechi account create staging --email staging@example.com")]
    Create {
        #[command(flatten)]
        options: AccountOptions,
        /// Its name.
        name: String,
        /// Its e-mail address, which no other account has.
        #[arg(long)]
        email: String,
        /// File for the root access key [default: credentials-ACCOUNT in the data directory].
        #[arg(long, value_name = "FILE")]
        credentials: Option<PathBuf>,
    },
    /// Create a root access key of an account.
    Key {
        #[command(flatten)]
        options: AccountOptions,
        /// The account.
        #[arg(value_name = "12 DIGITS")]
        account: String,
        /// File for the root access key [default: credentials-ACCOUNT in the data directory].
        #[arg(long, value_name = "FILE")]
        credentials: Option<PathBuf>,
    },
    /// List accounts: id, name, e-mail address, organization.
    List {
        #[command(flatten)]
        options: AccountOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Options of `account`.
#[derive(Debug, Args)]
pub struct AccountOptions {
    #[command(flatten)]
    pub data: DataOptions,
    #[command(flatten)]
    pub secrets: SealOptions,
}
