//! `haechi xks`: lets another KMS use keys of this one, through the proxy.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{AccountOptions, XksCommand, XksCredentialCommand};
use crate::data::{DataDirectory, write_private};
use crate::operator::ask;
use crate::operator::ask::{
    XksCreate, XksCredentialCreate, XksCredentialDelete, XksDelete, XksLine, XksList,
};
use crate::xks::{Credential, ExposedKey};

/// Does what was typed.
///
/// # Errors
/// What the server answers; without one, if the data directory cannot be opened.
pub fn run(command: XksCommand) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            XksCommand::Create { options, prefix, account, region, keys, all_keys: _, file } => {
                let data = existing(&options)?;
                let prefix = with_slash(&prefix);
                let account = match account {
                    Some(account) => account,
                    None => data.endpoint()?.account_id,
                };
                let keys = (!keys.is_empty()).then_some(keys);
                let wanted = XksCreate { prefix: prefix.clone(), account, region, keys };
                let file = file_for(&data, file.as_deref())?;
                let credential = ask(&data, &options, wanted).await?;
                write(&data, file, &prefix, &credential)
            }
            XksCommand::List { options, json } => list(&options, json).await,
            XksCommand::Delete { options, prefix } => {
                let prefix = with_slash(&prefix);
                ask(&existing(&options)?, &options, XksDelete { prefix }).await?;
                Ok(ExitCode::SUCCESS)
            }
            XksCommand::Credential(XksCredentialCommand::Create { options, prefix, file }) => {
                let (data, prefix) = (existing(&options)?, with_slash(&prefix));
                let file = file_for(&data, file.as_deref())?;
                let wanted = XksCredentialCreate { prefix: prefix.clone() };
                let credential = ask(&data, &options, wanted).await?;
                write(&data, file, &prefix, &credential)
            }
            XksCommand::Credential(XksCredentialCommand::Delete {
                options,
                prefix,
                access_key_id,
            }) => {
                let prefix = with_slash(&prefix);
                let unwanted = XksCredentialDelete { prefix, access_key_id };
                ask(&existing(&options)?, &options, unwanted).await?;
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

fn existing(options: &AccountOptions) -> Result<DataDirectory, Failure> {
    DataDirectory::existing(options.data.data.clone())
}

fn with_slash(prefix: &str) -> String {
    format!("/{}", prefix.trim_matches('/'))
}

/// The file that was named, refused before anything is done if it exists.
fn file_for(_: &DataDirectory, file: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    match file {
        Some(file) if file.exists() => {
            Err(format!("{} exists: name a new file", file.display()).into())
        }
        file => Ok(file.map(Path::to_owned)),
    }
}

/// Writes the file that AWS's console reads, and that `create-custom-key-store` is filled from.
fn write(
    data: &DataDirectory,
    file: Option<PathBuf>,
    prefix: &str,
    credential: &Credential,
) -> Result<ExitCode, Failure> {
    let Credential { access_key_id, secret_access_key, .. } = credential;
    let own = || data.path().join(format!("xks-{access_key_id}.json"));
    let file = file.unwrap_or_else(own);
    let uri_path = format!("{prefix}/kms/xks/v1");
    let json = Zeroizing::new(serde_json::to_string_pretty(&serde_json::json!({
        "XksProxyUriPath": uri_path,
        "XksProxyAuthenticationCredential": {
            "AccessKeyId": access_key_id,
            "RawSecretAccessKey": secret_access_key.as_str(),
        },
    }))?);
    write_private(&file, json.as_bytes())?;
    println!("  path         {uri_path}");
    println!("  access key   {access_key_id}");
    println!("  credential   {} (keep it safe)", file.display());
    Ok(ExitCode::SUCCESS)
}

async fn list(options: &AccountOptions, json: bool) -> Result<ExitCode, Failure> {
    let lines = ask(&existing(options)?, options, XksList {}).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines {
        let XksLine { prefix, account, region, keys, access_key_ids } = line;
        let key = |key: &ExposedKey| match (key.encrypts, key.decrypts) {
            (true, false) => format!("{}:encrypt", key.id),
            (false, true) => format!("{}:decrypt", key.id),
            _ => key.id.clone(),
        };
        let keys = match keys {
            None => "all keys".to_owned(),
            Some(keys) => keys.iter().map(key).collect::<Vec<_>>().join(","),
        };
        println!("{prefix}  {account}  {region}  {keys}  {}", access_key_ids.join(","));
    }
    Ok(ExitCode::SUCCESS)
}
