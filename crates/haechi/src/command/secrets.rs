//! `haechi secrets`: secrets of real servers.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{AttachOptions, SecretsCommand};
use crate::data::DataDirectory;
use crate::operator::ask::{AttachedHook, SecretsAttach};

/// Does it.
///
/// # Errors
/// What the server answers; without one, if the data directory cannot be opened.
pub fn run(command: SecretsCommand) -> Result<ExitCode, Failure> {
    let SecretsCommand::Attach(options) = command;
    let password = password()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let data = DataDirectory::existing(options.options.data.data.clone())?;
        let region = match &options.region {
            Some(region) => region.to_string(),
            None => data.endpoint()?.region,
        };
        let wanted = wanted(&options, region, password)?;
        let attached = crate::operator::ask(&data, &options.options, wanted).await?;
        let mut out = io::stdout().lock();
        writeln!(out, "{}", attached.arn)?;
        writeln!(out, "It is being rotated now, and by {} from now on.", options.every)?;
        writeln!(
            out,
            "Read it: haechi exec -- aws secretsmanager get-secret-value --secret-id {}",
            options.name
        )?;
        Ok(ExitCode::SUCCESS)
    })
}

fn wanted(
    options: &AttachOptions,
    region: String,
    password: Zeroizing<String>,
) -> Result<SecretsAttach, Failure> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let authorities = options.tls_ca.as_ref().map(read).transpose()?;
    let hook = match (&options.url, &options.key_file) {
        (Some(url), Some(file)) => {
            let text = Zeroizing::new(read(file)?);
            let key = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
            Some(AttachedHook { url: url.clone(), key })
        }
        _ => None,
    };
    Ok(SecretsAttach {
        tls: options.tls || authorities.is_some(),
        authorities,
        account: options.account.as_ref().map(ToString::to_string),
        region,
        engine: options.engine.clone(),
        name: options.name.clone(),
        host: options.host.clone().unwrap_or_default(),
        port: options.port,
        database: options.database.clone(),
        username: options.user.clone().unwrap_or_default(),
        password,
        hook,
        master: options.master.clone(),
        schedule: options.every.clone(),
    })
}

/// The first line of standard input: a password has no place among arguments.
fn password() -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprint!("Password of the user (it is replaced by the first rotation): ");
    }
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("the user's password is read from standard input, and there is none".into());
    }
    Ok(Zeroizing::new(password.to_owned()))
}
