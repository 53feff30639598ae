//! The `haechi` binary: configuration, wiring, command line.
//!
//! ```text
//! cli.rs          what can be typed
//! config.rs       flags, HAECHI_* variables, the configuration file: one answer
//! data.rs         the data directory: what lies where, with which modes
//! unseal.rs       the seal, and the root key behind it
//! installation.rs an opened data directory
//! keeper.rs       its seal.json, as it is changed
//! operator/       the operator's commands on a running server
//! keys.rs         the keys of KMS, as Secrets Manager asks for them
//! rotators.rs     passwords of real servers, as Secrets Manager changes them
//! functions.rs    Lambda: roles, rotation, what the operator decides
//! storage.rs      where the records lie: here, or in etcd
//! stack.rs        store, database, services, router: wired
//! terminal.rs     secrets that are typed
//! tls.rs          the local CA and the server's certificate
//! parameters.rs   what Parameter Store asks of other services
//! accounts.rs     accounts as Organizations asks IAM for them
//! api.rs          calls of a running server, for commands
//! audit.rs        the audit log: haechi-log under the audit key
//! explain/        why a request is allowed or denied
//! dev.rs          --dev: unknown keys are root, time travel, reset
//! peering/        deployments that serve other Regions
//! xks/            external keys: custom key stores, and the proxy for another KMS
//! command/*.rs    one file per command
//! ```

mod accounts;
mod api;
mod audit;
mod cli;
mod command;
mod config;
mod connections;
mod data;
mod dev;
mod explain;
mod format;
mod functions;
mod installation;
mod keeper;
mod keys;
mod moving;
mod nodes;
mod operator;
mod outbound;
mod parameters;
mod peering;
mod quotas;
mod recorder;
mod role_calls;
mod rotators;
mod service_roles;
mod stack;
mod storage;
mod subscriptions;
mod targets;
mod terminal;
mod tls;
mod unseal;
mod web_identity;
mod xks;

use std::process::ExitCode;

use clap::Parser;
use haechi_crypto::{Mimalloc, WipingAllocator};
use haechi_wire::Fault;

/// Whatever is freed is wiped, also in the buffers of other crates. A call allocates some sixty times,
/// and calls are answered in bursts, which glibc's quick lists do not hold: mimalloc's do
/// (docs/performance.md, "What a call allocates").
#[global_allocator]
static ALLOCATOR: WipingAllocator<Mimalloc> = WipingAllocator(Mimalloc);

/// A failure of a command: a sentence for the operator that says what to do next.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    // A function on its way into its sandbox is this program too.
    if let Some(code) = haechi_sandbox::run_step(std::env::args_os().skip(1)) {
        return code;
    }
    end_quietly_where_nobody_reads();
    let cli = cli::Cli::parse();
    match command::run(cli) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("haechi: {}", chain(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// Whoever stops reading, as `| head` does, has seen enough: that is no failure to tell of. Rust
/// gives no other notice of it than a panic in `println!`.
fn end_quietly_where_nobody_reads() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") && text.contains("Broken pipe") {
            std::process::exit(0);
        }
        tell(panic);
    }));
}

/// The error with its causes, each said once.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    // What AWS's callers are told of a failure inside means nothing to the operator.
    let inside = matches!(error.downcast_ref::<Fault>(), Some(Fault::Internal(_)));
    let error = error.source().filter(|_| inside).unwrap_or(error);
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
