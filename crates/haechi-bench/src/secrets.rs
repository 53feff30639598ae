//! Parameters and secrets, as many as wanted, and the calls that read them.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use crate::Failure;
use crate::prepare::{allow, at_once};
use crate::request::Service;
use crate::target::{Call, Ready, Target, read, write};

/// Parameters of one path: what a page of `GetParametersByPath` holds.
const PER_PATH: usize = 10;

/// Parameters of the standard tier: an account may have 10,000 in a Region.
const STANDARD_MAX: usize = 9_000;

/// Options of `secrets`.
#[derive(Args)]
pub struct Options {
    /// The target file; the calls are added to it.
    #[arg(long)]
    target: PathBuf,
    /// The ready file of the server, whose root user allows the calls.
    #[arg(long)]
    ready: PathBuf,
    /// Parameters and secrets that there are already, of each so many.
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// Parameters and secrets to have, of each so many; ten at the least.
    #[arg(long)]
    count: usize,
}

/// Makes what is missing and writes the calls; prints their names and how long it took.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let (root, mut target): (Ready, Target) = (read(&options.ready)?, read(&options.target)?);
    target.ready.endpoint.clone_from(&root.endpoint);
    for service in ["ssm", "secretsmanager"] {
        allow(&root, service).await?;
    }
    let (numbers, nothing) = (options.from..options.count, |_: &str| Ok(String::new()));
    let began = Instant::now();
    at_once(&target.ready, Service::Ssm, numbers.clone(), parameter, nothing).await?;
    let parameters = began.elapsed().as_secs_f64();
    let began = Instant::now();
    at_once(&target.ready, Service::SecretsManager, numbers.clone(), secret, nothing).await?;
    let secrets = began.elapsed().as_secs_f64();
    if options.from == 0 {
        at_once(&target.ready, Service::Ssm, 0..1, secure, nothing).await?;
    }
    target.calls = calls();
    write(&options.target, &target)?;
    let names: Vec<&str> = target.calls.iter().map(|call| call.name.as_str()).collect();
    println!(
        "{}",
        json!({
            "calls": names,
            "created": numbers.len(),
            "parameters_seconds": parameters,
            "secrets_seconds": secrets,
        })
    );
    Ok(())
}

fn parameter(number: usize) -> (&'static str, String) {
    let (path, tier) =
        (number / PER_PATH, if number < STANDARD_MAX { "Standard" } else { "Advanced" });
    let name = format!("/bench/{path}/p{number}");
    let body =
        json!({ "Name": name, "Type": "String", "Value": "a value of some length", "Tier": tier });
    ("PutParameter", body.to_string())
}

fn secure(_: usize) -> (&'static str, String) {
    let body =
        json!({ "Name": "/secure", "Type": "SecureString", "Value": "a value of some length" });
    ("PutParameter", body.to_string())
}

fn secret(number: usize) -> (&'static str, String) {
    let value = r#"{"username":"app","password":"correct horse battery staple"}"#;
    let body = json!({
        "Name": format!("bench/{number}"),
        "SecretString": value,
        "ClientRequestToken": format!("{number:032}"),
    });
    ("CreateSecret", body.to_string())
}

/// Reads of one thing, and pages of many.
fn calls() -> Vec<Call> {
    let call = |name: &str, service, body: serde_json::Value| Call {
        name: name.to_owned(),
        service,
        operation: name.split(' ').next().unwrap_or_default().to_owned(),
        body: body.to_string(),
    };
    let (ssm, secrets) = (Service::Ssm, Service::SecretsManager);
    vec![
        call("GetSecretValue", secrets, json!({ "SecretId": "bench/5" })),
        call("GetParameter String", ssm, json!({ "Name": "/bench/0/p5" })),
        call(
            "GetParameter SecureString",
            ssm,
            json!({ "Name": "/secure", "WithDecryption": true }),
        ),
        call("GetParametersByPath", ssm, json!({ "Path": "/bench/0" })),
        call("GetParametersByPath recursive", ssm, json!({ "Path": "/bench", "Recursive": true })),
        call("DescribeParameters", ssm, json!({ "MaxResults": 50 })),
        call("ListSecrets", secrets, json!({ "MaxResults": 100 })),
    ]
}
