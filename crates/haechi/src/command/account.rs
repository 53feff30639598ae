//! `haechi account`: accounts for the operator.

use std::path::Path;
use std::process::ExitCode;

use crate::Failure;
use crate::cli::{AccountCommand, AccountOptions};
use crate::data::DataDirectory;
use crate::operator::ask;
use crate::operator::ask::{AccountCreate, AccountKey, AccountLine, AccountList};

/// Creates an account, lists accounts, or gives one a root access key.
///
/// # Errors
/// What the server answers; without one, if the data directory cannot be opened.
pub fn run(command: AccountCommand) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            AccountCommand::Create { options, name, email, credentials } => {
                let data = DataDirectory::existing(options.data.data.clone())?;
                let ask = AccountCreate { name, email };
                let account = crate::operator::ask(&data, &options, ask).await?;
                println!("  account      {account}");
                key(&data, &options, account, credentials.as_deref()).await
            }
            AccountCommand::Key { options, account, credentials } => {
                let data = DataDirectory::existing(options.data.data.clone())?;
                key(&data, &options, account, credentials.as_deref()).await
            }
            AccountCommand::List { options, json } => list(&options, json).await,
        }
    })
}

/// Writes a new root access key to a file, its own if none is named.
async fn key(
    data: &DataDirectory,
    options: &AccountOptions,
    account: String,
    file: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let own = data.path().join(format!("credentials-{account}"));
    let file = file.unwrap_or(&own);
    if file.exists() {
        return Err(format!("{} exists: name a new file", file.display()).into());
    }
    let key = ask(data, options, AccountKey { account }).await?;
    crate::data::write_credentials(file, &key.into())?;
    println!("  credentials  {} (root access key: keep it safe)", file.display());
    Ok(ExitCode::SUCCESS)
}

async fn list(options: &AccountOptions, json: bool) -> Result<ExitCode, Failure> {
    let data = DataDirectory::existing(options.data.data.clone())?;
    let lines = ask(&data, options, AccountList {}).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines {
        let AccountLine { account, name, email, managed_by } = line;
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let place = managed_by.map(|management| format!("managed by {management}"));
        println!("{account}  {}  {}  {}", text(name), text(email), text(place));
    }
    Ok(ExitCode::SUCCESS)
}
