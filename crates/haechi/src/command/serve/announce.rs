//! What is told once haechi serves, or waits to be unsealed.

use zeroize::Zeroizing;

use super::prepare::Ready;
use crate::Failure;
use crate::config::Config;
use crate::data::{Endpoint, write_private};

/// Tells people on standard output, and programs in the ready file.
pub fn announce(config: &Config, ready: &Ready) -> Result<(), Failure> {
    let Endpoint { endpoint, region, ca_bundle, .. } = &ready.endpoint;
    println!("haechi {} is serving\n", crate::cli::VERSION);
    println!("  endpoint     {endpoint}");
    println!("  account      {}", ready.account);
    if config.regions.local.is_empty() {
        println!("  region       {region} (all others too)");
    } else {
        let local: Vec<&str> = config.regions.local.iter().map(|region| region.as_str()).collect();
        println!("  regions      {}", local.join(", "));
    }
    if let Some(xks) = &ready.xks {
        println!("  XKS proxy    https://{}", xks.listener.address());
    }
    if let Some(peering) = &ready.peering {
        println!("  peers        {}", peering.listener.address());
    }
    if let Some(data) = &config.data {
        println!("  data         {}", data.display());
        println!(
            "  credentials  {} (root access key: keep it safe)",
            data.join("credentials").display()
        );
        println!("  CA           {}", ca_bundle.display());
    }
    if config.dev.is_some() {
        println!(
            "\nWARNING: --dev. Unknown access keys are root, the clock can be moved, plain HTTP is"
        );
        println!(
            "         answered{}. For tests only.",
            if config.data.is_none() { ", nothing is kept" } else { "" }
        );
        println!("\nNext, in another terminal:");
        println!(
            "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}"
        );
        println!(
            "  AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=any aws kms create-key",
            ready.account
        );
    } else {
        if let Some(file) = &ready.root_key_file {
            println!(
                "\nNote: the root key lies in a file beside the data ({}). Whoever can read",
                file.display()
            );
            println!(
                "      the disk can read everything; --seal passphrase or --seal pkcs11 avoid that."
            );
        }
        println!("\nNext, in another terminal:");
        println!("  haechi exec{} -- aws kms create-key", named(config));
    }
    if let Some(path) = &config.ready_file {
        write_private(path, ready_json(ready)?.as_bytes())
            .map_err(|error| format!("ready file {}: {error}", path.display()))?;
    }
    Ok(())
}

/// What a command needs to find this data directory.
fn named(config: &Config) -> String {
    match (&config.data, crate::config::data_directory()) {
        (Some(data), usual) if usual.as_ref().ok() != Some(data) => {
            format!(" --data {}", data.display())
        }
        _ => String::new(),
    }
}

/// Tells how functions are shut in, where some can be.
pub async fn functions(ready: &Ready, config: &Config) {
    if !config.lambda.has_runtimes() {
        return;
    }
    let runner = ready.installation.stack.lambda.runner();
    let isolation = match runner.isolation().await {
        Ok(isolation) => isolation,
        Err(error) => {
            tracing::warn!(?error, "what shuts functions in is found out when one is invoked");
            return;
        }
    };
    if runner.runs().await.is_ok_and(|runs| runs) {
        tracing::info!("functions run with: {}", isolation.describe());
    } else {
        tracing::warn!(
            "functions do not run: {} do not work here. lambda.allow_weak_isolation lets them run \
             with: {}",
            isolation.missing().join(", "),
            isolation.describe()
        );
    }
}

fn ready_json(ready: &Ready) -> Result<Zeroizing<String>, Failure> {
    let json = serde_json::json!({
        "endpoint": ready.endpoint.endpoint,
        "account_id": ready.endpoint.account_id,
        "region": ready.endpoint.region,
        "access_key_id": ready.root_key.access_key_id,
        "secret_access_key": *ready.root_key.secret_access_key,
        "ca_bundle": ready.endpoint.ca_bundle,
        "peer_address": ready.peering.as_ref().map(|peering| peering.listener.address()),
        "xks_address": ready.xks.as_ref().map(|xks| xks.listener.address()),
    });
    Ok(Zeroizing::new(serde_json::to_string(&json)?))
}
