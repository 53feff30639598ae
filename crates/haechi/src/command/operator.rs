//! `haechi operator`: the root key split among people, a server sealed and unsealed.

mod nodes;
mod rekey;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use haechi_crypto::seal::create_shared;
use haechi_crypto::{SealConfig, SecretVec, SystemRandom};
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{OperatorCommand, VERSION};
use crate::data::DataDirectory;
use crate::operator::order;
use crate::operator::order::{
    SealOrder, SealStatus, ServerState, Status, StatusOrder, UnsealOrder,
};
use crate::terminal;

/// How often a server that comes up or goes down is asked.
const POLL: Duration = Duration::from_millis(50);

/// How often it is asked at the most: half a minute.
const POLLS_MAX: u32 = 600;

/// Does what the operator says.
///
/// # Errors
/// What the server answers, or that none runs.
pub fn run(command: OperatorCommand) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            OperatorCommand::Init { data, shares, threshold } => {
                let path = data.data.map_or_else(crate::config::data_directory, Ok)?;
                init(&DataDirectory::open_or_create(&path)?, shares, threshold)
            }
            OperatorCommand::Status { data, json } => {
                status(&DataDirectory::existing(data.data)?, json).await
            }
            OperatorCommand::Nodes { data, json } => {
                nodes::run(&DataDirectory::existing(data.data)?, json).await
            }
            OperatorCommand::Unseal { data } => unseal(&DataDirectory::existing(data.data)?).await,
            OperatorCommand::Seal { data } => seal(&DataDirectory::existing(data.data)?).await,
            OperatorCommand::Rekey {
                options,
                shares,
                threshold,
                new_secret_file,
                adopt,
                finish,
            } => {
                let data = DataDirectory::existing(options.data.data.clone())?;
                if finish {
                    return rekey::finish(&data, &options).await;
                }
                if let Some(folder) = adopt {
                    let secret = new_secret_file.as_deref();
                    return rekey::adopt(&data, &options, &folder, secret).await;
                }
                let split = (shares, threshold);
                rekey::run(&data, &options, split, new_secret_file.as_deref()).await
            }
        }
    })
}

fn init(data: &DataDirectory, shares: u8, threshold: u8) -> Result<ExitCode, Failure> {
    let _lock = data.lock()?;
    if SealConfig::load(data.path())?.is_some() || data.store().exists() {
        let text = format!(
            "{} has a root key already: split it with haechi operator rekey --seal shamir",
            data.path().display()
        );
        return Err(text.into());
    }
    let (config, _, made) = create_shared(shares, threshold, None, &SystemRandom::new())?;
    let shares = made.iter().map(SecretVec::expose);
    print_shares(&SealStatus::new(&config, None), shares, &mut io::stdout().lock())?;
    // Only now: shares that nobody has seen must not be needed.
    config.save(data.path())?;
    println!("Next: haechi serve --data {}", data.path().display());
    println!("      It starts sealed; {threshold} holders each run: haechi operator unseal");
    Ok(ExitCode::SUCCESS)
}

/// Prints shares, this once.
fn print_shares<'a>(
    seal: &SealStatus,
    shares: impl ExactSizeIterator<Item = &'a [u8]>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let (count, threshold) = (shares.len(), seal.threshold.unwrap_or_default());
    let installation = seal.installation.as_deref().unwrap_or_default();
    writeln!(out, "The root key of installation {installation} is split into {count} shares.")?;
    writeln!(
        out,
        "They are shown now and never again. Give each to somebody else, on paper or in"
    )?;
    writeln!(
        out,
        "a password manager; haechi keeps none. {threshold} of them start haechi; fewer"
    )?;
    writeln!(
        out,
        "tell nothing. If fewer than {threshold} are left, all data is lost for ever.\n"
    )?;
    for (place, share) in shares.enumerate() {
        writeln!(out, "Share {} of {count}", place.saturating_add(1))?;
        out.write_all(b"  ")?;
        out.write_all(share)?;
        out.write_all(b"\n\n")?;
    }
    Ok(out.flush()?)
}

/// How it stands, also where no server runs.
async fn standing(data: &DataDirectory) -> Result<Status, Failure> {
    match order(data, StatusOrder {}).await? {
        Some(status) => Ok(status),
        None => Ok(Status {
            version: VERSION.to_owned(),
            process: None,
            state: ServerState::Stopped,
            seal: SealConfig::load(data.path())?.map(|seal| SealStatus::new(&seal, None)),
        }),
    }
}

async fn status(data: &DataDirectory, json: bool) -> Result<ExitCode, Failure> {
    let status = standing(data).await?;
    if json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(ExitCode::SUCCESS);
    }
    let state = match status.state {
        ServerState::Stopped => "no server runs",
        ServerState::Starting => "starting or stopping",
        ServerState::Sealed => "sealed: every call is answered 503",
        ServerState::Serving => "serving",
    };
    println!("  state        {state}");
    if let Some(process) = status.process {
        println!("  server       haechi {}, process {process}", status.version);
    }
    let Some(seal) = status.seal else {
        println!("  root key     none yet: the first `haechi serve` makes one");
        return Ok(ExitCode::SUCCESS);
    };
    println!("  root key     {}", seal.kind);
    if let SealStatus {
        installation: Some(id), shares: Some(shares), threshold: Some(need), ..
    } = &seal
    {
        println!("  installation {id}");
        println!("  shares       {need} of {shares} are needed");
    }
    if let Some(given) = seal.given {
        println!("  given        {given}");
    }
    Ok(ExitCode::SUCCESS)
}

fn no_server(data: &DataDirectory) -> Failure {
    format!("no server runs on {}: start it with haechi serve", data.path().display()).into()
}

async fn unseal(data: &DataDirectory) -> Result<ExitCode, Failure> {
    let before = order(data, StatusOrder {}).await?.ok_or_else(|| no_server(data))?;
    if before.state == ServerState::Serving {
        println!("haechi is unsealed and serves: no share is needed.");
        return Ok(ExitCode::SUCCESS);
    }
    let typed = terminal::secret_line("Share")?;
    let share = std::str::from_utf8(typed.expose()).map_err(|_| "that is no share")?;
    let share = Zeroizing::new(share.to_owned());
    let after = order(data, UnsealOrder { share }).await?.ok_or_else(|| no_server(data))?;
    if let (ServerState::Sealed, Some(SealStatus { given: Some(given), threshold, .. })) =
        (after.state, &after.seal)
    {
        println!("{given} of {} shares were given.", threshold.unwrap_or_default());
        return Ok(ExitCode::SUCCESS);
    }
    reached(data, ServerState::Serving).await?;
    println!("haechi is unsealed and serves.");
    Ok(ExitCode::SUCCESS)
}

async fn seal(data: &DataDirectory) -> Result<ExitCode, Failure> {
    order(data, SealOrder {}).await?.ok_or_else(|| no_server(data))?;
    reached(data, ServerState::Sealed).await?;
    println!("haechi has dropped its keys and is sealed.");
    Ok(ExitCode::SUCCESS)
}

/// Waits until the server is in a state.
async fn reached(data: &DataDirectory, state: ServerState) -> Result<(), Failure> {
    for _ in 0..POLLS_MAX {
        // While the program begins anew nobody answers; or it breaks off in the middle.
        let found = order(data, StatusOrder {}).await;
        if found.is_ok_and(|status| status.is_some_and(|status| status.state == state)) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err("the server did not get there in half a minute: see what it writes to its log".into())
}
