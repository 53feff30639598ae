//! `haechi exec` and `haechi env`: clients that just work.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use haechi_core::Region;
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{DataOptions, EnvOptions, ExecOptions};
use crate::data::DataDirectory;

/// What would lead a client elsewhere, or make it prefer other credentials.
const REMOVED: [&str; 9] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

/// Runs a client in place of this process.
///
/// # Errors
/// If there is no server's data, or the program cannot be started.
pub fn exec(options: ExecOptions) -> Result<ExitCode, Failure> {
    let variables = variables(options.data, options.region)?;
    let mut words = options.command.into_iter();
    let program =
        words.next().ok_or("which program? For example: haechi exec -- aws kms list-keys")?;
    let mut command = Command::new(&program);
    command.args(words);
    for name in removed() {
        command.env_remove(name);
    }
    for (name, value) in &variables {
        command.env(name, value.as_str());
    }
    // Only comes back if it failed.
    let error = command.exec();
    Err(format!("cannot run {}: {error}", program.to_string_lossy()).into())
}

/// Prints the variables.
///
/// # Errors
/// If there is no server's data.
pub fn env(options: EnvOptions) -> Result<ExitCode, Failure> {
    let variables = variables(options.data, options.region)?;
    if options.json {
        let object: serde_json::Map<String, serde_json::Value> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect();
        println!("{}", serde_json::to_string_pretty(&object)?);
        return Ok(ExitCode::SUCCESS);
    }
    for name in removed() {
        println!("unset {name}");
    }
    for (name, value) in &variables {
        println!("export {name}='{}'", value.replace('\'', r"'\''"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Names to remove: those above, and every endpoint of a single service that is set here.
fn removed() -> impl Iterator<Item = String> {
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let endpoints = inherited.filter(|name| name.starts_with("AWS_ENDPOINT_URL_"));
    REMOVED.iter().map(|name| (*name).to_owned()).chain(endpoints)
}

type Variables = Vec<(&'static str, Zeroizing<String>)>;

fn variables(data: DataOptions, region: Option<Region>) -> Result<Variables, Failure> {
    let data = DataDirectory::existing(data.data)?;
    let endpoint = data.endpoint()?;
    let key = data.read_credentials()?;
    let region = region.map_or(endpoint.region, |region| region.to_string());
    let ca = endpoint.ca_bundle.display().to_string();
    let plain = |text: String| Zeroizing::new(text);
    let direct = unproxied(&endpoint.endpoint);
    Ok(vec![
        ("NO_PROXY", plain(direct.clone())),
        ("no_proxy", plain(direct)),
        // The Go SDK takes no notice of the general one where it assumes a role for credentials.
        ("AWS_ENDPOINT_URL_STS", plain(endpoint.endpoint.clone())),
        ("AWS_ENDPOINT_URL", plain(endpoint.endpoint)),
        ("AWS_CA_BUNDLE", plain(ca.clone())),
        ("NODE_EXTRA_CA_CERTS", plain(ca)),
        ("AWS_ACCESS_KEY_ID", plain(key.access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", key.secret_access_key),
        ("AWS_REGION", plain(region.clone())),
        ("AWS_DEFAULT_REGION", plain(region)),
        ("AWS_EC2_METADATA_DISABLED", plain("true".to_owned())),
    ])
}

/// What is reached without a proxy, this server included.
fn unproxied(endpoint: &str) -> String {
    let so_far = std::env::var("no_proxy").or_else(|_| std::env::var("NO_PROXY"));
    let (_, host) = endpoint.rsplit_once('/').unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    match so_far {
        Ok(others) if !others.is_empty() => format!("{others},{host}"),
        _ => host.to_owned(),
    }
}
