//! `haechi generate`: completions, man page, systemd unit.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::Failure;
use crate::cli::{Cli, GenerateCommand};

/// The unit: its own user, and of the machine only what haechi needs.
const UNIT: &str = include_str!("../../haechi.service");

/// Writes to standard output.
///
/// # Errors
/// If that fails.
pub fn run(command: &GenerateCommand) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        GenerateCommand::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "haechi", &mut out);
        }
        GenerateCommand::Man => clap_mangen::Man::new(Cli::command()).render(&mut out)?,
        GenerateCommand::Systemd => std::io::Write::write_all(&mut out, UNIT.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}
