//! `haechi kms`: how keys are used, while haechi is not serving.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use haechi_kms::KeyUsage;
use haechi_wire::Timestamp;
use serde_json::json;

use super::account::Opened;
use crate::Failure;
use crate::cli::KmsCommand;

/// Shows the use of keys.
///
/// # Errors
/// If haechi serves from the data directory meanwhile, or the store fails.
pub fn run(command: KmsCommand) -> Result<ExitCode, Failure> {
    let KmsCommand::Usage { options, json } = command;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let opened = Opened::new(&options).await?;
        let keys = opened.stack.kms.usage().await?;
        if json {
            writeln!(io::stdout().lock(), "{}", document(&keys))?;
        } else {
            table(&keys, &mut io::stdout().lock())?;
        }
        opened.close().await
    })
}

fn requests(key: &KeyUsage) -> u64 {
    key.counts.values().sum()
}

/// Requests of each account.
fn accounts(keys: &[KeyUsage]) -> BTreeMap<&str, u64> {
    let mut accounts = BTreeMap::new();
    for key in keys {
        *accounts.entry(key.account.as_str()).or_default() += requests(key);
    }
    accounts
}

fn document(keys: &[KeyUsage]) -> serde_json::Value {
    let keys_json = keys.iter().map(|key| {
        json!({
            "account": key.account,
            "region": key.region,
            "keyId": key.key_id,
            "requests": key.counts,
            "lastOperation": key.last.operation,
            "lastUsed": Timestamp::from_millis(key.last.time_ms).iso8601(),
            "lastEventId": key.last.event_id,
        })
    });
    json!({ "accounts": accounts(keys), "keys": keys_json.collect::<Vec<_>>() })
}

fn table(keys: &[KeyUsage], out: &mut impl Write) -> io::Result<()> {
    let [account, region, key, requests_title] = ["ACCOUNT", "REGION", "KEY", "REQUESTS"];
    writeln!(out, "{account:<12}  {region:<14}  {key:<36}  {requests_title:>12}  LAST USED")?;
    for key in keys {
        let KeyUsage { account, region, key_id, last, .. } = key;
        let (time, count) = (Timestamp::from_millis(last.time_ms).iso8601(), requests(key));
        let operation = &last.operation;
        writeln!(out, "{account}  {region:<14}  {key_id:<36}  {count:>12}  {time} {operation}")?;
    }
    for (account, count) in accounts(keys) {
        writeln!(out, "{account}  {all:<14}  {all:<36}  {count:>12}", all = "all")?;
    }
    Ok(())
}
