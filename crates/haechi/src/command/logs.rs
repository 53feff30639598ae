//! `haechi logs`.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use haechi_lambda::{log_file, log_file_before};

use crate::Failure;
use crate::cli::LogsOptions;
use crate::data::DataDirectory;

/// How often `--follow` looks for more.
const POLL: Duration = Duration::from_millis(200);

/// Prints the log of a function.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn run(options: LogsOptions) -> Result<ExitCode, Failure> {
    let data = DataDirectory::existing(options.data.data)?;
    let served = data.endpoint()?;
    let account = options.account_id.map_or(served.account_id, |account| account.to_string());
    let region = options.region.map_or(served.region, |region| region.to_string());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if options.function.is_empty() || !options.function.bytes().all(plain) {
        return Err(format!("`{}` is not the name of a function", options.function).into());
    }
    let file = log_file(&data.functions(), &account, &region, &options.function);
    let before = log_file_before(&file);
    if !file.exists() && !before.exists() && !options.follow {
        let name = options.function;
        return Err(format!(
            "the function {name} of account {account} has not run in {region} yet"
        )
        .into());
    }
    let mut out = std::io::stdout().lock();
    copy(&before, 0, &mut out)?;
    let mut shown = copy(&file, 0, &mut out)?;
    if !options.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        out.flush()?;
        std::thread::sleep(POLL);
        // A file that is shorter than it was is a new one.
        let length = file.metadata().map_or(0, |file| file.len());
        let from = if length < shown { 0 } else { shown };
        shown = from + copy(&file, from, &mut out)?;
    }
}

/// Prints a file from a place on, if it is there; answers how much that was.
fn copy(path: &Path, from: u64, out: &mut impl Write) -> Result<u64, Failure> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    file.seek(SeekFrom::Start(from))?;
    Ok(std::io::copy(&mut file, out)?)
}
