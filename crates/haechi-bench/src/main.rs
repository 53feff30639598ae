//! What `cargo xtask bench` measures with: a load generator that signs like an SDK, and a floor,
//! the bare hyper server that the product is compared to.
//!
//! ```text
//! target.rs      what is measured: address, credentials, keys
//! request.rs     signed requests as bytes on the wire
//! connection.rs  one keep-alive connection, plain or TLS 1.3
//! prepare.rs     a user, its policy and a key, made through the API
//! calls.rs       a key of every spec, and what is done with it
//! load.rs        64 connections that ask as fast as they are answered, or at a given rate
//! secrets.rs     parameters and secrets, and the calls that read them
//! bare.rs        the cryptography of a call, alone
//! cpu.rs         CPU time of the server, thread by thread
//! floor.rs       the bare server
//! first.rs       from the start of the program to its first answer
//! ```
//!
//! Each command prints one line of JSON; `xtask` makes tables of them.

mod bare;
mod calls;
mod connection;
mod cpu;
mod first;
mod floor;
mod load;
mod prepare;
mod request;
mod secrets;
mod target;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A sentence that says what went wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(about = "Load generator and floor for `cargo xtask bench`")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer every request with a body of the same bytes.
    Floor(floor::Options),
    /// Make a user and a key through the API, and write the target file.
    Prepare(prepare::PrepareOptions),
    /// Create more keys through the API.
    Seed(prepare::SeedOptions),
    /// Make a key of every spec, and add what they do to the target file.
    Calls(calls::Options),
    /// Make parameters and secrets, and add the calls that read them to the target file.
    Secrets(secrets::Options),
    /// Do the cryptography of a call, without a server.
    Bare(bare::Options),
    /// Ask as fast as answers come, or at a given rate.
    Load(load::Options),
    /// Start a server and take the time to its first answer.
    First(first::Options),
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match (runtime, Cli::parse().command) {
        (Err(error), _) => Err(error.into()),
        (Ok(runtime), Command::Floor(options)) => runtime.block_on(floor::run(options)),
        (Ok(runtime), Command::Prepare(options)) => runtime.block_on(prepare::run(&options)),
        (Ok(runtime), Command::Seed(options)) => runtime.block_on(prepare::seed(&options)),
        (Ok(runtime), Command::Calls(options)) => runtime.block_on(calls::run(&options)),
        (Ok(runtime), Command::Secrets(options)) => runtime.block_on(secrets::run(&options)),
        (Ok(_), Command::Bare(options)) => bare::run(&options),
        (Ok(runtime), Command::Load(options)) => runtime.block_on(load::run(&options)),
        (Ok(runtime), Command::First(options)) => runtime.block_on(first::run(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("haechi-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
