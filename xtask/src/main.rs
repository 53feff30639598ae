//! Project chores: `cargo xtask COMMAND`. One file (or folder) per command.
//!
//! Everything that a person or CI does to this repository beyond `cargo build` stands here, in Rust,
//! so that it works the same on every machine. The commands use the standard library and start
//! other programs; they are not part of the product.

mod bench;
mod chaos;
mod ci;
mod codegen;
mod crash;
mod fuzz;
mod next;
mod process;
mod sim;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  test [--quick]                     install what the tests need, then run every check there is
                                     (--quick: only the tests, no lints, supply chain or fuzzing)
  ci                                 the same as `test`
  tidy                               the rules of the house that neither rustc nor clippy knows
  codegen [SERVICE…] [--check]       write the *-model crates from AWS's service models
  fuzz [TARGET…] [--seconds 60]      fuzz, two targets at a time
  crash [--rounds 2000]              kill -9 the storage engines in a loop
  chaos [--rounds 1000] [--seed 1]   random faults on clusters under load
  next                               build haechi-next, which tests of upgrades run
  bench NAME [OPTIONS]               measure; `cargo xtask bench` lists the names
  sim NAME [OPTIONS]                 simulate; `cargo xtask sim` lists the names
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "test" => test::run(&arguments),
        "ci" => ci::run(&arguments),
        "tidy" => tidy::run(&arguments),
        "codegen" => codegen::run(&arguments),
        "fuzz" => fuzz::run(&arguments),
        "crash" => crash::run(&arguments),
        "chaos" => chaos::run(&arguments),
        "bench" => bench::run(&arguments),
        "sim" => sim::run(&arguments),
        "next" => next::run(&arguments),
        "" | "help" | "-h" | "--help" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => Err(format!("there is no command `{unknown}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
