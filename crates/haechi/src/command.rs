//! The commands, one file each.

mod account;
mod archive;
mod audit;
mod client;
mod explain;
mod generate;
mod inject;
mod kms;
mod logs;
mod migrate;
mod operator;
mod peer;
mod secrets;
mod serve;
mod services;
mod xks;

use std::process::ExitCode;

use crate::Failure;
use crate::cli::{Cli, Command};

/// Runs what was typed.
///
/// # Errors
/// A sentence for the operator.
pub fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        None => serve::run(cli.serve),
        Some(Command::Serve(options)) => serve::run(*options),
        Some(Command::Exec(options)) if !options.secrets.is_empty() => inject::exec(options),
        Some(Command::Exec(options)) => client::exec(options),
        Some(Command::Render(options)) => inject::render(options),
        Some(Command::Env(options)) => client::env(options),
        Some(Command::Account(command)) => account::run(command),
        Some(Command::Audit(command)) => audit::run(command),
        Some(Command::Logs(options)) => logs::run(options),
        Some(Command::Kms(command)) => kms::run(command),
        Some(Command::Secrets(command)) => secrets::run(command),
        Some(Command::Iam(command)) => explain::run(command),
        Some(Command::Xks(command)) => xks::run(command),
        Some(Command::Peer(command)) => peer::run(command),
        Some(Command::Operator(command)) => operator::run(command),
        Some(Command::Backup(options)) => archive::backup(options),
        Some(Command::Restore(options)) => archive::restore(options),
        Some(Command::Migrate(options)) => migrate::run(options),
        Some(Command::Services(options)) => services::run(options),
        Some(Command::Generate(command)) => generate::run(&command),
    }
}
