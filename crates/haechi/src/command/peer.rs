//! `haechi peer`: deployments that serve other Regions.

use std::process::ExitCode;

use haechi_peer::Card;
use serde_json::{Value, json};

use crate::Failure;
use crate::cli::{AccountOptions, PeerCommand};
use crate::data::DataDirectory;
use crate::operator::ask;
use crate::operator::ask::{PeerAdd, PeerCard, PeerLine, PeerList, PeerRemove};

/// Does what was typed.
///
/// # Errors
/// What the server answers; without one, if the data directory cannot be opened.
pub fn run(command: PeerCommand) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            PeerCommand::Card { options } => {
                let card = ask(&existing(&options)?, &options, PeerCard {}).await?;
                println!("{}", card.text()?);
                eprintln!("fingerprint  {}", card.fingerprint());
            }
            PeerCommand::Add { options, card, accounts } => {
                let text = std::fs::read_to_string(&card)
                    .map_err(|error| format!("cannot read {}: {error}", card.display()))?;
                let card = Card::parse(&text)?;
                let accounts = (!accounts.is_empty()).then(|| accounts.into_iter().collect());
                let added = PeerAdd { card: card.clone(), accounts };
                ask(&existing(&options)?, &options, added).await?;
                let regions: Vec<&str> = card.regions.iter().map(String::as_str).collect();
                println!("{} serves {}", card.name, regions.join(", "));
                println!("fingerprint  {}", card.fingerprint());
                println!("Compare it with what `haechi peer card` prints there.");
            }
            PeerCommand::List { options, json } => {
                let lines = ask(&existing(&options)?, &options, PeerList {}).await?;
                if json {
                    let lines: Vec<Value> = lines.iter().map(for_machines).collect();
                    println!("{}", serde_json::to_string_pretty(&lines)?);
                } else {
                    lines.iter().for_each(print);
                }
            }
            PeerCommand::Remove { options, name } => {
                ask(&existing(&options)?, &options, PeerRemove { name }).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn existing(options: &AccountOptions) -> Result<DataDirectory, Failure> {
    DataDirectory::existing(options.data.data.clone())
}

fn for_machines(line: &PeerLine) -> Value {
    let PeerLine { card, accounts, answers } = line;
    json!({
        "name": card.name,
        "regions": card.regions,
        "endpoint": card.endpoint,
        "fingerprint": card.fingerprint().to_string(),
        "accounts": accounts,
        "answers": answers,
    })
}

fn print(line: &PeerLine) {
    let PeerLine { card, accounts, answers } = line;
    let list = |names: &std::collections::BTreeSet<String>| {
        names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    };
    let accounts = accounts.as_ref().map_or_else(|| "all accounts".to_owned(), list);
    let answers = match answers {
        Some(true) => "answers",
        Some(false) => "does not answer",
        None => "not asked",
    };
    let (name, endpoint, fingerprint) = (&card.name, &card.endpoint, card.fingerprint());
    println!("{name}  {}  {endpoint}  {fingerprint}  {accounts}  {answers}", list(&card.regions));
}
