//! `haechi kms`: how keys are used.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::Failure;
use crate::cli::KmsCommand;
use crate::data::DataDirectory;
use crate::operator::ask::{KeyUse, KmsUsage};

/// Shows the use of keys.
///
/// # Errors
/// What the server answers; without one, if the data directory cannot be opened.
pub fn run(command: KmsCommand) -> Result<ExitCode, Failure> {
    let KmsCommand::Usage { options, json } = command;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let data = DataDirectory::existing(options.data.data.clone())?;
        let keys = crate::operator::ask(&data, &options, KmsUsage {}).await?;
        if json {
            let document = json!({ "accounts": accounts(&keys), "keys": keys });
            writeln!(io::stdout().lock(), "{document}")?;
        } else {
            table(&keys, &mut io::stdout().lock())?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn requests(key: &KeyUse) -> u64 {
    key.requests.values().sum()
}

/// Requests of each account.
fn accounts(keys: &[KeyUse]) -> BTreeMap<&str, u64> {
    let mut accounts = BTreeMap::new();
    for key in keys {
        *accounts.entry(key.account.as_str()).or_default() += requests(key);
    }
    accounts
}

fn table(keys: &[KeyUse], out: &mut impl Write) -> io::Result<()> {
    let [account, region, key, requests_title] = ["ACCOUNT", "REGION", "KEY", "REQUESTS"];
    writeln!(out, "{account:<12}  {region:<14}  {key:<36}  {requests_title:>12}  LAST USED")?;
    for key in keys {
        let KeyUse { account, region, key_id, last_used, last_operation, .. } = key;
        let count = requests(key);
        let last = format!("{last_used} {last_operation}");
        writeln!(out, "{account}  {region:<14}  {key_id:<36}  {count:>12}  {last}")?;
    }
    for (account, count) in accounts(keys) {
        writeln!(out, "{account}  {all:<14}  {all:<36}  {count:>12}", all = "all")?;
    }
    Ok(())
}
